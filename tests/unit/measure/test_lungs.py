"""Areas of the left and of the right lung."""

import numpy as np
import pytest
from samples import chest
from scipy import ndimage

from cxrseg.measure.lungs import lung_areas
from cxrseg.phantom import LABELS, phantom


def test_sides_agree_with_the_pieces_of_phantoms():
    for k in range(12):
        lungs = phantom(7, k, LABELS[k % 3], 128, "randomised").lungs
        labels, found = ndimage.label(lungs)
        sizes = np.bincount(labels.ravel())[1:]
        if found != 2:
            continue
        first, second = (np.nonzero(labels == n)[1].mean() for n in (1, 2))
        expected = sizes if first < second else sizes[::-1]
        on_left, on_right = lung_areas(lungs, lungs * np.uint8(255))
        assert on_left == pytest.approx(expected[0], rel=0.03)
        assert on_right == pytest.approx(expected[1], rel=0.03)


def test_a_missing_lung_is_one_side_empty():
    mask = chest(200, 200)[0]
    assert lung_areas(mask, mask * np.uint8(255)) == (mask.sum(), 0)
