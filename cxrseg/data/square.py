"""Map a picture and its masks to a square, and back.

The aspect-ratio rule, here and nowhere else: an image is padded with black to a square, centred (an odd
row or column more goes to the bottom or right), and the square is resized. Nothing is stretched or cut
off, and a square image is not padded. `cut_from_square` is the inverse.
"""

import math

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


def cut_from_square(levels: np.ndarray, cut: float, shape: tuple[int, int]) -> np.ndarray:
    """Return where values on the square grid, resampled to the original pixels, reach a limit: back from `to_square`.

    The filter is bilinear. Only the box in which values reach the limit is resampled, a quarter of it for one lung.

    Parameters
    ----------
    levels : numpy.ndarray
        (size, size) float32.
    cut : float
        The limit.
    shape : tuple of int
        Height and width of the original, pixels.

    Returns
    -------
    numpy.ndarray
        `shape`, bool.
    """
    if levels.shape == tuple(shape):
        return levels >= cut
    found = np.zeros(shape, bool)
    reached = levels >= cut
    (height, width), (side, top, left) = shape, _frame(shape)
    scale = len(levels) / side
    spread = 1 + scale  # as far as the filter carries a value, in pixels of the square
    part = []
    for axis, offset, length in ((1, top, height), (0, left, width)):
        places = np.flatnonzero(reached.any(axis=axis))
        if not len(places):
            return found
        first, last = (places[0] - spread) / scale - offset, (places[-1] + 1 + spread) / scale - offset
        part.append(slice(max(0, math.floor(first)), max(0, min(length, math.ceil(last)))))
    rows, columns = part
    box = (
        scale * (left + columns.start),
        scale * (top + rows.start),
        scale * (left + columns.stop),
        scale * (top + rows.stop),
    )
    size = columns.stop - columns.start, rows.stop - rows.start
    if min(size) > 0:
        found[rows, columns] = (
            np.asarray(Image.fromarray(levels).resize(size, Image.Resampling.BILINEAR, box=box)) >= cut
        )
    return found


def fitted(shape: tuple[int, int], size: int) -> tuple[int, int]:
    """Return the height and width of an image of `shape` whose longer side becomes `size` pixels."""
    side = max(shape)
    return max(1, round(shape[0] * size / side)), max(1, round(shape[1] * size / side))


def _frame(shape: tuple[int, int]) -> tuple[int, int, int]:
    """Return the side of the square around an image, and the row and column where the image begins."""
    height, width = shape
    side = max(height, width)
    return side, (side - height) // 2, (side - width) // 2
