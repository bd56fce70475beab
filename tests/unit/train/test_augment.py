"""Augmentation: the picture and its masks move together, and as another library moves them."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from cxrseg.train import augment as module
from cxrseg.train.augment import augment

SIZE = 96


def chest():
    y, x = np.mgrid[:SIZE, :SIZE]
    lungs = sum(((y - 48) / 30) ** 2 + ((x - c) / 14) ** 2 < 1 for c in (28, 68)).astype(np.float32)
    return (180 - 120 * lungs + y / 4).astype(np.uint8), np.stack([lungs, lungs * (y > 48)], axis=-1)


@pytest.mark.parametrize("degrees", [-7, 4])
@pytest.mark.parametrize("shift", [(0, 0), (5, -3.5)])
def test_moves_as_scipy_does(degrees, shift):
    image, _ = chest()
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    matrix = np.array([[c, -s], [s, c]]) * 1.1
    offset = (SIZE - 1) / 2 * (1 - matrix.sum(axis=1)) + shift
    expected = affine_transform(image, matrix, offset, output=np.float32, order=1, mode="nearest")
    assert np.abs(module._moved(image, matrix, offset) - expected).max() <= 1


def test_masks_stay_on_what_they_outline():
    image, masks = chest()
    for seed in range(20):
        changed, moved = augment(image, masks, np.random.default_rng(seed))
        assert changed.dtype == np.uint8 and set(np.unique(moved)) == {0, 1}
        inside, outside = changed[moved[..., 0] > 0], changed[moved[..., 0] == 0]
        assert np.median(inside) < np.median(outside)
        dark = changed < (np.median(inside) + np.median(outside)) / 2
        assert 2 * (dark & (moved[..., 0] > 0)).sum() / (dark.sum() + moved[..., 0].sum()) > 0.95
        assert not (moved[..., 1] > moved[..., 0]).any()


def test_the_generator_alone_decides():
    image, masks = chest()
    one, two, other = (augment(image, masks, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()
