"""Phantoms: the same everywhere, true to their class, and shaped like lungs."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from samples import same
from scipy import ndimage

from cxrseg.config import DataConfig
from cxrseg.data.cases import CLASSES
from cxrseg.data.sources import covid_qu_ex
from cxrseg.measure.shape import lung_shape
from cxrseg.phantom import LABELS, phantom, phantom_parts, stream
from cxrseg.phantom.parameters import PARTS, SETTINGS, varied
from cxrseg.phantom.parameters.distributions import Always

MANY = 40


@pytest.fixture(scope="module")
def realistic():
    return {label: [phantom(11, k, label, 128) for k in range(MANY)] for label in LABELS}


def test_a_phantom_is_what_its_arguments_say_and_nothing_else():
    first = phantom(3, 5, "COVID", 96)
    phantom(3, 6, "Normal", 64, "randomised")
    assert same(first, phantom(3, 5, "COVID", 96))
    for other in ((4, 5, "COVID"), (3, 6, "COVID"), (3, 5, "Normal")):
        assert not np.array_equal(first.lungs, phantom(*other, 96).lungs)


def test_other_processes_make_the_same_phantoms():
    calls = [(1, k, LABELS[k % 3], 64, setting) for setting in SETTINGS for k in range(4)]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        elsewhere = list(pool.map(phantom, *zip(*calls[::-1], strict=True)))
    assert all(same(phantom(*call), made) for call, made in zip(calls[::-1], elsewhere, strict=True))


def test_a_stream_is_the_same_however_it_is_cut():
    images, lungs = stream(2, 10, 7, 64)
    pieces = [stream(2, 10, 3, 64), stream(2, 13, 4, 64)]
    assert np.array_equal(images, np.concatenate([piece[0] for piece in pieces]))
    assert np.array_equal(lungs, np.concatenate([piece[1] for piece in pieces]))
    assert np.array_equal(images[2], phantom(2, 12, LABELS[0], 64, "randomised").image)


def test_the_same_chest_at_another_size():
    for k in range(6):
        small, large = phantom(8, k, "Normal", 64).lungs, phantom(8, k, "Normal", 256).lungs
        reduced = large.reshape(64, 4, 64, 4).mean((1, 3)) > 0.5
        assert 2 * (small & reduced).sum() / (small.sum() + reduced.sum()) > 0.97


def test_the_classes_are_those_of_the_study():
    assert sorted(LABELS) == sorted(CLASSES)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("label", LABELS)
def test_types_shapes_and_nesting(label, setting):
    for k in range(5):
        made = phantom(0, k, label, 80, setting)
        assert [z.shape for z in made] == [(80, 80)] * 6
        assert [z.dtype for z in made] == [np.uint8] + [bool] * 5
        assert not (made.infection & ~made.lungs).any()
        assert np.array_equal(made.right_lung ^ made.left_lung, made.lungs)
        # As annotators', both outlines may take the pixels in which they meet.
        assert (made.heart & made.lungs).sum() <= 0.1 * made.heart.sum()


def test_only_disease_makes_an_infection(realistic):
    assert not any(made.infection.any() for made in realistic["Normal"])
    for label in ("COVID", "Non-COVID"):
        assert np.mean([made.infection.sum() > 0.02 * made.lungs.sum() for made in realistic[label]]) > 0.9


def lesion_sides(made):
    """Return the share of each lung that is infected; the lungs are told apart by their own parts."""
    parts, _ = ndimage.label(made.lungs)
    largest = np.argsort(np.bincount(parts.ravel())[1:])[-2:] + 1
    return [made.infection[parts == k].mean() for k in largest]


def test_covid_lies_in_both_lungs_and_low(realistic):
    sides = [lesion_sides(made) for made in realistic["COVID"]]
    assert np.mean([min(pair) > 0.02 for pair in sides]) > 0.7
    below = [
        np.mean(np.nonzero(made.infection)[0]) > np.mean(np.nonzero(made.lungs)[0])
        for made in realistic["COVID"]
        if made.infection.any()
    ]
    assert np.mean(below) > 0.6


def test_disease_is_brighter_than_the_healthy_lung_beside_it(realistic):
    for label in ("COVID", "Non-COVID"):
        differences = [
            made.image[made.infection].mean() - made.image[made.lungs & ~made.infection].mean()
            for made in realistic[label]
            if made.infection.any() and (made.lungs & ~made.infection).any()
        ]
        assert np.mean(differences) > 10


def test_realistic_lungs_are_two_whole_fields_inside_the_picture(realistic):
    every = [made.lungs for cases in realistic.values() for made in cases]
    sizes = [np.sort(np.bincount(ndimage.label(mask)[0].ravel())[1:])[::-1] for mask in every]
    assert np.mean([len(s) >= 2 and s[1] > 0.3 * s[0] and s[:2].sum() > 0.99 * s.sum() for s in sizes]) > 0.97
    assert all(0.05 < mask.mean() < 0.55 for mask in every)
    assert not any(mask[[0, -1]].any() or mask[:, [0, -1]].any() for mask in every)
    ratios = [lung_shape(mask).right_to_left for mask in every]
    # The heart takes room from the left lung.
    assert 1.05 < np.median(ratios) < 1.5


def test_realistic_normal_lungs_are_darker_than_what_surrounds_them(realistic):
    differences = []
    for made in realistic["Normal"]:
        ring = ndimage.binary_dilation(made.lungs, iterations=8) & ~ndimage.binary_dilation(made.lungs, iterations=2)
        differences.append(made.image[ring].mean() - made.image[made.lungs].mean())
    assert np.mean(differences) > 30
    assert np.mean(np.array(differences) > 0) > 0.95


def test_the_image_shows_the_edge_where_the_mask_has_it(realistic):
    """Stepping over the outline outwards the picture must brighten, and most right at the outline."""
    steps = []
    for made in realistic["Normal"]:
        outside, inside = ndimage.distance_transform_edt(~made.lungs), ndimage.distance_transform_edt(made.lungs)
        distance = np.where(made.lungs, 0.5 - inside, outside - 0.5)
        profile = [made.image[np.abs(distance - d) < 0.75].mean() for d in range(-5, 7)]
        steps.append(np.diff(profile))
    assert -2 <= np.mean(steps, 0).argmax() - 5 <= 2


def test_randomised_varies_more_than_realistic():
    def spread(setting):
        made = [phantom(5, k, "Normal", 64, setting) for k in range(60)]
        return np.std([(z.lungs.mean(), z.image[z.lungs].mean(), z.image[~z.lungs].mean()) for z in made], axis=0)

    assert (spread("randomised") > spread("realistic")).all()


@pytest.mark.real
def test_realistic_lungs_are_shaped_like_real_ones(shared):
    """At least 90% of 150 real masks lie, by each measure, within the phantoms' central 98%."""
    config = DataConfig(source="covid_qu_ex", path=str(shared / "covid-qu-ex-1500.zip"))
    cases = sorted(covid_qu_ex.cases(config), key=lambda case: case.case_id)
    chosen = np.random.default_rng(300).choice(len(cases), 150, replace=False)
    real = np.array([lung_shape(cases[k].masks["lungs"]()) for k in chosen])
    made = np.array([lung_shape(phantom(2023, k, LABELS[k % 3], 128).lungs) for k in range(250)])
    low, high = np.percentile(made, [1, 99], axis=0)
    assert (((real >= low) & (real <= high)).mean(0) >= 0.9).all()


def test_parts_add_up_as_their_names_say():
    lungs = phantom(4, 3, "Normal", 128).lungs
    steps = phantom_parts(4, 3, "Normal", 128)
    change = dict(zip(list(steps)[1:], np.diff(np.array(list(steps.values())), axis=0), strict=True))
    assert change["air in the lungs"][lungs].mean() < -0.2
    assert abs(change["air in the lungs"][~lungs].mean()) < 0.1
    heart = change["heart and great vessels"]
    assert heart[lungs].mean() < 0.05 < heart.max()
    assert change["bones"].mean() > 0


def test_every_distribution_draws_in_both_settings():
    rng = np.random.default_rng(0)
    for _, table in SETTINGS.values():
        assert set(PARTS) <= set(table)
        for part, parameters in table.items():
            for name, distribution in parameters.items():
                assert distribution(rng) is not None, (part, name)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((1, 0, "Covid"), "label 'Covid'.*COVID"),
        ((1, 0, "COVID", 128, "real"), "setting 'real'.*realistic"),
        ((-1, 0, "COVID"), "0 or more"),
        ((1, 0, "COVID", 16), "size from 32"),
        ((1, 0, "Normal", 64, varied("realistic", {"pose": {"height": Always(0.1)}}, "tiny")), "fits the picture"),
    ],
)
def test_bad_arguments_are_named(arguments, words):
    with pytest.raises(ValueError, match=words) as caught:
        phantom(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_heart_lies_between_the_lungs(setting):
    made = [phantom(21, k, LABELS[k % 3], 128, setting) for k in range(30)]
    whole = [m for m in made if not any(z[[0, -1]].any() or z[:, [0, -1]].any() for z in (m.lungs, m.heart))]
    whole = [m for m in whole if min(m.right_lung.sum(), m.left_lung.sum(), m.heart.sum()) > 100]
    assert len(whole) > 10
    columns = [[np.nonzero(z)[1].mean() for z in (m.right_lung, m.heart, m.left_lung)] for m in whole]
    assert all(right < heart < left for right, heart, left in columns)
    rows = [[np.nonzero(z)[0].mean() for z in (m.lungs, m.heart)] for m in whole]
    assert np.mean([lungs < heart for lungs, heart in rows]) > 0.9
    # Cardiothoracic ratios of adults lie around a half.
    ratios = [np.ptp(np.nonzero(m.heart)[1]) / np.ptp(np.nonzero(m.lungs)[1]) for m in whole]
    assert 0.4 < np.median(ratios) < 0.6
    assert all(len(np.unique(ndimage.label(m.heart)[0])) <= 3 for m in whole)
