"""Map a picture and its masks to a square, and back.

The aspect-ratio rule, here and nowhere else: an image is padded with black to a square, centred (an odd
row or column more goes to the bottom or right), and the square is resized. Nothing is stretched or cut
off, and a square image is not padded. `from_square` is the inverse.
"""

import numpy as np
from PIL import Image


def to_square(image: np.ndarray, size: int) -> np.ndarray:
    """Pad an image to a square with black and resize it, antialiased.

    Parameters
    ----------
    image : numpy.ndarray
        (height, width) uint8.
    size : int
        Side of the result, pixels.

    Returns
    -------
    numpy.ndarray
        (size, size) uint8; `image` itself where it has that shape.
    """
    if image.shape == (size, size):
        return image
    side, top, left = _frame(image.shape)
    square = np.zeros((side, side), image.dtype)
    square[top : top + image.shape[0], left : left + image.shape[1]] = image
    # Pillow widens the bilinear kernel when it shrinks: that is the antialiasing.
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BILINEAR))


def mask_to_square(mask: np.ndarray, size: int) -> np.ndarray:
    """Pad and resize a mask as `to_square` does its image; a pixel is in where at least half of it is.

    Parameters
    ----------
    mask : numpy.ndarray
        (height, width) bool.
    size : int
        Side of the result, pixels.

    Returns
    -------
    numpy.ndarray
        (size, size) bool; `mask` itself where it has that shape.
    """
    if mask.shape == (size, size):
        return mask
    return to_square(mask.astype(np.uint8) * 255, size) >= 128


def from_square(square: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Map what lies on the square grid back to the original pixels: the inverse of `to_square`.

    Parameters
    ----------
    square : numpy.ndarray
        (size, size) probabilities (float), mask (bool) or image (uint8).
    shape : tuple of int
        Height and width of the original, pixels.

    Returns
    -------
    numpy.ndarray
        `shape`; float32 for floats, else the dtype given. Bilinear; a mask is cut at one half.
    """
    if square.dtype == bool:
        return from_square(square.astype(np.float32), shape) >= 0.5
    values = square if square.dtype == np.uint8 else square.astype(np.float32)
    if square.shape == tuple(shape):
        return values
    (height, width), (side, top, left) = shape, _frame(shape)
    scale = square.shape[0] / side
    box = (left * scale, top * scale, (left + width) * scale, (top + height) * scale)
    return np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR, box=box))


def fitted(shape: tuple[int, int], size: int) -> tuple[int, int]:
    """Return the height and width of an image of `shape` whose longer side becomes `size` pixels."""
    side = max(shape)
    return max(1, round(shape[0] * size / side)), max(1, round(shape[1] * size / side))


def _frame(shape: tuple[int, int]) -> tuple[int, int, int]:
    """Return the side of the square around an image, and the row and column where the image begins."""
    height, width = shape
    side = max(height, width)
    return side, (side - height) // 2, (side - width) // 2
