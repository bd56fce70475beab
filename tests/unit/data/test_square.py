"""Onto a square and back."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.transform import resize
from support import from_square

from cxrseg.data.square import cut_from_square, mask_to_square, to_square


def ellipse(shape: tuple[int, int]) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return ((rows / shape[0] - 0.45) / 0.3) ** 2 + ((columns / shape[1] - 0.55) / 0.2) ** 2 < 1


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * (one & other).sum() / (one.sum() + other.sum())


SHAPES = [(256, 256), (2022, 2022), (1955, 1841), (300, 513), (1024, 301), (201, 100), (64, 64)]


@pytest.mark.parametrize("shape", SHAPES)
def test_mask_survives_the_round_trip(shape):
    mask = ellipse(shape)
    square = mask_to_square(mask, 256)
    back = cut_from_square(255 * square.astype(np.float32), 127.5, shape)
    assert (square.shape, square.dtype, back.shape, back.dtype) == ((256, 256), bool, shape, bool)
    # Off by no more than half a pixel of the coarser grid along the outline, of some 1.5 sides' length.
    assert dice(mask, back) > 0.985


@pytest.mark.parametrize("shape", SHAPES)
def test_probabilities_land_where_the_mask_is(shape):
    mask = ellipse(shape)
    probability = mask_to_square(mask, 256).astype(np.float64)
    back = from_square(probability, shape)
    assert back.dtype == np.float32 and back.min() >= 0 and back.max() <= 1
    assert dice(mask, back >= 0.5) > 0.985
    for axis in (0, 1):  # neither shifted, by a tenth of a pixel of the square's grid
        truth, found = (np.argwhere(m)[:, axis].mean() for m in (mask, back >= 0.5))
        assert abs(truth - found) < 0.1 * max(shape) / 256 + 0.1


@pytest.mark.parametrize("shape", [(100, 60), (60, 100), (101, 60), (60, 101)])
def test_padding_is_black_and_centred(shape):
    square = to_square(np.full(shape, 200, np.uint8), max(shape))
    filled = square == 200
    assert filled.sum() == shape[0] * shape[1] and not square[~filled].any()
    spare = max(shape) - min(shape)
    assert np.argwhere(filled).min(axis=0).max() == spare // 2


def test_square_of_the_right_size_is_returned_untouched():
    image = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    assert to_square(image, 64) is image
    assert mask_to_square(image > 9, 64).tolist() == (image > 9).tolist()
    np.testing.assert_array_equal(from_square(image, (64, 64)), image)


def test_shrinking_is_antialiased():
    # One-pixel stripes average out; picking every eighth pixel would give a constant 0 or 255.
    stripes = np.zeros((512, 512), np.uint8)
    stripes[:, ::2] = 255
    inner = to_square(stripes, 64)[4:-4, 4:-4]
    np.testing.assert_allclose(inner, 127.5, atol=8)


def test_crop_of_the_square_equals_resize_then_crop():
    # Independent route: blow the whole square up with scikit-image's resize, then cut the frame out.
    square = np.random.default_rng(1).random((32, 32)).astype(np.float32)
    whole = resize(square, (96, 96), order=1, mode="edge", anti_aliasing=False)
    np.testing.assert_allclose(from_square(square, (96, 60)), whole[:, 18:78], atol=1e-3)


@pytest.mark.parametrize("shape", [*SHAPES, (25, 351), (700, 90)])
@pytest.mark.parametrize("cut", [76.5, 127.5, 200])
def test_cutting_is_resampling_first_whatever_the_mask(shape, cut):
    rng = np.random.default_rng(len(SHAPES) + shape[0])
    noise = gaussian_filter(rng.random((128, 128)), 4)
    blob = gaussian_filter(np.pad(np.full((20, 30), 255.0), ((5, 103), (60, 38))), 2)
    for levels in (255 * (noise - noise.min()) / np.ptp(noise), blob, np.zeros((128, 128)), np.full((128, 128), 255.0)):
        levels = levels.astype(np.float32)
        found = cut_from_square(levels, cut, shape)
        assert found.shape == shape and found.dtype == bool
        # The box is placed in single precision, so that a pixel on the limit may fall on the other side.
        assert np.mean(found != (from_square(levels, shape) >= cut)) < 2e-4
