"""The cardiothoracic ratio, and where there is none."""

import numpy as np
import pytest
from scipy import ndimage

from cxrseg.data.square import mask_to_square, to_square
from cxrseg.measure.heart import Extent, content, extent, ratio, refusal
from cxrseg.phantom import LABELS, phantom


def organs():
    """Return a heart of 60 columns between two lungs that reach from column 20 to column 169."""
    heart, lungs = np.zeros((2, 100, 200), bool)
    lungs[10:80, 20:70] = lungs[10:80, 130:170] = True
    heart[40:85, 70:130] = True
    return heart, lungs


def test_the_ratio_is_that_of_the_widths():
    heart, lungs = organs()
    assert extent(lungs) == Extent(20, 169, 45, 45)
    assert ratio(extent(heart), extent(lungs)) == pytest.approx(60 / 150)
    assert refusal(heart, lungs, (0, 199)) == ""
    assert extent(heart & False) is None
    assert ratio(None, extent(lungs)) is None and ratio(extent(heart), None) is None


def test_the_ratio_does_not_depend_on_the_resolution():
    made = phantom(3, 1, "Normal", 256)
    expected = ratio(extent(made.heart), extent(made.lungs))
    for times in (2, 3):
        heart, lungs = (np.kron(mask, np.ones((times, times), bool)) for mask in (made.heart, made.lungs))
        assert ratio(extent(heart), extent(lungs)) == expected


def change(kind):
    heart, lungs = organs()
    if kind == "no heart":
        heart[:] = False
    elif kind == "no lungs":
        lungs[:] = False
    elif kind == "cut off":
        lungs[:, :21] = True
    elif kind == "heart at the edge":
        heart[50:60, 150:] = lungs[50:60, 150:] = True
        lungs[:, 198:] = False
    elif kind == "beyond the lungs":
        heart[50:60, 130:190] = True
    elif kind == "too wide":
        heart = ndimage.binary_dilation(heart, np.ones((1, 3)), 38)
    elif kind == "too narrow":
        heart[:, 75:] = False
    return heart, lungs, (0, 168 if kind == "cut off at a border" else 199)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("no heart", "no heart"), ("no lungs", "no lung"), ("cut off", "lungs reach the edge"),
        ("cut off at a border", "lungs reach the edge"), ("heart at the edge", "reach"),
        ("beyond the lungs", "beyond the lungs"), ("too wide", "0.91 is not plausible"),
        ("too narrow", "0.03 is not plausible"),
    ],
)  # fmt: skip
def test_there_is_none_where_it_would_mean_nothing(kind, said):
    assert said in refusal(*change(kind))


@pytest.mark.parametrize("shape", [(300, 300), (200, 400), (400, 260)])
@pytest.mark.parametrize(("grey", "noise"), [(0, 0), (255, 0), (128, 2)])
def test_borders_at_the_sides_are_no_part_of_the_picture(shape, grey, noise):
    rng = np.random.default_rng(shape[1])
    picture = rng.integers(0, 256, shape, np.uint8)
    picture[:, :50] = grey + rng.integers(0, noise + 1, (shape[0], 50))
    inside = np.zeros(shape, bool)
    inside[:, 50:] = True
    expected = extent(mask_to_square(inside, 256))
    assert content(to_square(picture, 256), shape) == pytest.approx((expected.first, expected.last), abs=1)


def test_a_blank_picture_has_no_border():
    assert content(np.full((256, 256), 9, np.uint8), (300, 300)) == (0, 255)


def test_phantoms_that_are_whole_have_a_plausible_one():
    found = []
    for k in range(60):
        made = phantom(11, k, LABELS[k % 3], 128)
        assert refusal(made.heart, made.lungs, content(made.image, made.image.shape)) == "", k
        found.append(ratio(extent(made.heart), extent(made.lungs)))
    assert 0.4 < np.mean(found) < 0.6
