from functools import cache

import numpy as np
import pytest
from scipy.ndimage import zoom

from cxrseg.data.duplicates import describe, near_duplicates
from cxrseg.phantom import LABELS, phantom


@cache
def films(n):
    """Return made radiographs of n different chests."""
    return [phantom(seed=5, index=k, label=LABELS[k % 3], size=256).image for k in range(n)]


def found(pictures):
    coarse, fine = zip(*(describe(picture) for picture in pictures), strict=True)
    return [(i, j) for i, j, _ in near_duplicates(np.array(coarse), np.array(fine))]


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p,
        lambda p: np.roll(p, (4, -9), (0, 1)),
        lambda p: np.uint8(p * 0.4 + 90),
        lambda p: np.uint8(255 * (p / 255) ** 2),
        lambda p: zoom(p, 0.5, order=1),
        lambda p: np.uint8(np.clip(p + np.random.default_rng(1).normal(0, 8, p.shape), 0, 255)),
    ],
    ids=["copy", "shifted", "faint", "gamma", "smaller", "noisy"],
)
def test_twin_is_found_among_strangers(change):
    pictures = films(12)
    assert found([*pictures, change(pictures[5])]) == [(5, 12)]


def test_strangers_are_not_twins():
    assert found(films(30)) == []


def test_few_and_empty_pictures_are_no_error():
    assert found(films(1)) == []
    assert found([np.zeros((64, 64), np.uint8)] * 2) == []
