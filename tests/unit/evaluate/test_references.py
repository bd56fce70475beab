"""Baselines on shapes whose answer is known by hand, bands by hand, and a second person."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.morphology import isotropic_dilation, isotropic_erosion
from support import SHARED

from cxrseg.evaluate import references
from cxrseg.evaluate.metrics import overlap


def square(side, size=40, at=10):
    mask = np.zeros((size, size), bool)
    mask[at : at + side, at : at + side] = True
    return mask


def test_bands_of_squares_by_hand():
    summary = references.boundary_band([square(10), square(20)])
    # one pixel in: 8 x 8 of 10 x 10, 18 x 18 of 20 x 20; out: a row on each side, the corners sqrt(2) away
    assert summary["1px"]["too_small"] == pytest.approx((2 * 64 / 164 + 2 * 324 / 724) / 2)
    assert summary["1px"]["too_large"] == pytest.approx((2 * 100 / 240 + 2 * 400 / 880) / 2)
    assert summary["2px"]["too_small"] == pytest.approx((2 * 36 / 136 + 2 * 256 / 656) / 2)
    assert summary["1px"]["n"] == summary["2px"]["n"] == 2


@pytest.mark.parametrize("at", [0, 1, 30])
def test_looking_only_near_the_mask_changes_nothing(at):
    mask = square(10, at=at)  # in a corner, beside it, in the other corner
    mask[20, 20] = True
    expected = [
        tuple(overlap(mask, drawn(mask, pixels))["dice"] for drawn in (isotropic_erosion, isotropic_dilation))
        for pixels in (1, 2)
    ]
    assert references._bands(mask) == expected
    assert references._bands(np.ones((9, 9), bool)) == [(1, 1), (1, 1)]


def test_empty_masks_are_not_counted_as_perfect():
    assert references.boundary_band([square(10), np.zeros((40, 40), bool)]) == references.boundary_band([square(10)])
    assert references.boundary_band([np.zeros((40, 40), bool)]) == {}


def test_dice_and_overlap_say_the_same():
    a, b = square(10), square(10, at=12)
    iou = (a & b).sum() / (a | b).sum()
    assert references.dice_of_iou(iou) == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))
    assert references.dice_of_iou(references.SECOND_OBSERVER_IOU) == pytest.approx(0.9722, abs=1e-4)


REAL = SHARED / "covid-qu-ex-1500.zip"


def chest(height=256, width=256, seed=0):
    """A bright body in dark air with two dark lungs: an image, and its lungs."""
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    lungs = sum(((y - 0.5) / 0.3) ** 2 + ((x - side) / 0.13) ** 2 < 1 for side in (0.33, 0.67)) > 0
    body = ((y - 0.7) / 0.75) ** 2 + ((x - 0.5) / 0.45) ** 2 < 1
    noise = np.random.default_rng(seed).normal(0, 6, (height, width))
    image = gaussian_filter(200.0 * body - 120 * lungs, height / 128) + 20 + noise
    return np.clip(image, 0, 255).astype(np.uint8), lungs


def test_mean_shape_of_equal_masks_is_that_mask():
    _, lungs = chest(64, 64)
    assert (references.mean_shape([lungs] * 3) == lungs).all()


def test_mean_shape_takes_the_threshold_with_the_best_dice():
    # shares 1, 1, 0.4, 0.2: of all masks 2.6 pixels on average. Dice from the top: 2*1/3.6, 4/4.6 = 0.870,
    # 4.8/5.6 = 0.857, 5.2/6.6; so the first two pixels, as a vote would say
    masks = np.zeros((5, 1, 6), np.uint8)
    masks[:, 0, :2] = 1
    masks[:2, 0, 2] = masks[0, 0, 3] = 1
    assert references.mean_shape(masks).tolist() == [[True, True, False, False, False, False]]
    # shares 0.4 everywhere: a vote would leave nothing and score 0
    split = np.zeros((5, 1, 5), bool)
    split[[0, 1, 2, 3, 4], 0, [0, 1, 2, 3, 4]] = split[[0, 1, 2, 3, 4], 0, [1, 2, 3, 4, 0]] = True
    assert references.mean_shape(split).all()


def test_mean_shape_beats_every_other_threshold_on_its_training_pixels():
    rng = np.random.default_rng(4)
    masks = gaussian_filter(rng.standard_normal((12, 20, 24)), (0, 3, 3)) > 0.05
    masks[:, 5:15, 5:12] = True
    share = masks.mean(axis=0)

    def pooled(shape):
        return overlap(masks.reshape(12, -1), np.tile(shape.ravel(), (12, 1)))["dice"]

    best = max(pooled(share >= level) for level in np.unique(share))
    assert pooled(references.mean_shape(masks)) == pytest.approx(best)


def test_mean_shape_reads_a_generator_once_and_a_memory_map(tmp_path):
    _, lungs = chest(32, 32)
    masks = np.stack([lungs, np.roll(lungs, 1, axis=0), lungs])
    np.save(tmp_path / "masks.npy", masks.astype(np.uint8))
    mapped = np.load(tmp_path / "masks.npy", mmap_mode="r")
    assert (references.mean_shape(mapped) == references.mean_shape(mask for mask in masks)).all()
    assert not references.mean_shape(np.zeros((2, 4, 4), bool)).any()


def test_mean_shape_refuses_no_masks_and_two_shapes():
    with pytest.raises(ValueError, match="at least one training mask"):
        references.mean_shape([])
    with pytest.raises(ValueError, match=r"one shape, got \(4, 4\) and \(4, 5\)"):
        references.mean_shape([np.zeros((4, 4)), np.zeros((4, 5))])


@pytest.mark.parametrize("shape", [(256, 256), (128, 96), (420, 500)])
def test_otsu_finds_the_lungs_of_a_made_chest_and_not_the_air_around(shape):
    image, lungs = chest(*shape)
    found = references.otsu(image)
    assert found.dtype == bool and found.shape == shape
    assert overlap(lungs, found)["dice"] > 0.9
    assert not found[:, 0].any() and not found[0].any()


@pytest.mark.parametrize("image", [np.zeros((64, 64)), np.full((64, 64), 255), np.eye(40) * 255, np.eye(3, 5) * 9])
def test_otsu_of_no_chest_at_all_gives_a_mask_all_the_same(image):
    found = references.otsu(image.astype(np.uint8))
    assert found.shape == image.shape and found.dtype == bool


def test_otsu_of_a_constant_image_is_empty():
    assert not references.otsu(np.full((64, 64), 90, np.uint8)).any()


@pytest.mark.parametrize("image", [np.zeros((8, 8)), np.zeros((8, 8, 3), np.uint8)])
def test_otsu_refuses_what_is_not_a_grey_byte_image(image):
    with pytest.raises(ValueError, match=r"\(H, W\) uint8 image, not"):
        references.otsu(image)


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_file(), reason="no real radiographs in ../shared")
def test_otsu_on_real_radiographs():
    scores = []
    with zipfile.ZipFile(REAL) as archive:

        def read(name):
            return np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("L"))

        # of 750, 375 and 375 of the three classes; the first 100 of each chose the lengths in otsu
        pictures = sorted(n for n in archive.namelist() if "/images/" in n and n.endswith(".png"))
        for name in pictures[120:750:30] + pictures[870:1125:30] + pictures[1245:1500:30]:
            truth = read(name.replace("/images/", "/lung masks/")) >= 128
            scores.append(overlap(truth, references.otsu(read(name)))["dice"])
    assert len(scores) == 39
    assert np.mean(scores) > 0.65
