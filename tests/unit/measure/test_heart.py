"""The cardiothoracic ratio, and where there is none."""

import numpy as np
import pytest
from scipy import ndimage

from cxrseg.measure.heart import Extent, extent, ratio, refusal
from cxrseg.phantom import LABELS, phantom

PICTURE = np.tile(np.arange(100, dtype=np.uint8)[:, None], (1, 200))


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
    assert refusal(heart, lungs, PICTURE) == ""
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
    picture = PICTURE.copy()
    if kind == "no heart":
        heart[:] = False
    elif kind == "no lungs":
        lungs[:] = False
    elif kind == "cut off":
        lungs[:, :21] = True
    elif kind == "cut off at a black border":
        picture[:, 169:] = 0
    elif kind == "heart at the edge":
        heart[:, 150:] = True
    elif kind == "beyond the lungs":
        heart[50:60, 130:190] = True
    elif kind == "too wide":
        heart = ndimage.binary_dilation(heart, np.ones((1, 3)), 38)
    elif kind == "too narrow":
        heart[:, 75:] = False
    elif kind == "blank":
        picture[:] = 9
    return heart, lungs, picture


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("no heart", "no heart"), ("no lungs", "no lung"), ("cut off", "lungs reach the edge"),
        ("cut off at a black border", "lungs reach the edge"), ("heart at the edge", "heart reaches the edge"),
        ("beyond the lungs", "beyond the lungs"), ("too wide", "0.91 is not plausible"),
        ("too narrow", "0.03 is not plausible"), ("blank", "one grey"),
    ],
)  # fmt: skip
def test_there_is_none_where_it_would_mean_nothing(kind, said):
    assert said in refusal(*change(kind))


def test_phantoms_that_are_whole_have_a_plausible_one():
    found = []
    for k in range(60):
        made = phantom(11, k, LABELS[k % 3], 128)
        assert refusal(made.heart, made.lungs, made.image) == "", k
        found.append(ratio(extent(made.heart), extent(made.lungs)))
    assert 0.4 < np.mean(found) < 0.6
