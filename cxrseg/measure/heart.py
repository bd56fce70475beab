"""Measure the cardiothoracic ratio: the width of the heart over that of both lungs, in place of the inner chest width.

It is defined for upright posteroanterior films. In anteroposterior films and in supine patients the heart looks wider.

References
----------
Danzer, The cardiothoracic ratio: an index of cardiac enlargement, Am J Med Sci 157:513-521, 1919.
"""

import math
from typing import NamedTuple

import numpy as np

LIMITS = (0.25, 0.85)
"""Smallest and largest plausible ratio."""

EDGE = 0.01
"""Distance from the left or right edge of the picture, as a share of its longer side, within which an organ may be cut
off."""

BORDER = 8
"""Largest range of grey levels within a column that is taken for a border around the picture."""


class Extent(NamedTuple):
    """Horizontal extent of an organ, from its first to its last column, in pixels.

    Attributes
    ----------
    first, last : int
        First and last column.
    first_row, last_row : int
        Row of the middle pixel of the organ in the first and in the last column.
    """

    first: int
    last: int
    first_row: int
    last_row: int

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.last - self.first + 1


def extent(mask: np.ndarray) -> Extent | None:
    """Return the horizontal extent of an organ, or None if the mask is empty.

    Parameters
    ----------
    mask : (height, width) bool array

    Examples
    --------
    >>> mask = np.zeros((8, 9), bool)
    >>> mask[2, 3:6] = mask[4, 5:8] = True
    >>> extent(mask)
    Extent(first=3, last=7, first_row=2, last_row=4)
    """
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(columns):
        return None
    first, last = int(columns[0]), int(columns[-1])
    rows = [np.flatnonzero(mask[:, column]) for column in (first, last)]
    return Extent(first, last, *(int(found[len(found) // 2]) for found in rows))


def ratio(heart: Extent | None, lungs: Extent | None) -> float | None:
    """Return the width of the heart over the width of both lungs, or None if either is missing."""
    return heart.width / lungs.width if heart and lungs else None


def content(square: np.ndarray, shape: tuple[int, int]) -> tuple[int, int]:
    """Return the first and last column of a radiograph inside any uniform borders at its left and right.

    Parameters
    ----------
    square : (size, size) uint8 array
        The radiograph, padded and resized by `cxrseg.data.square.to_square`.
    shape : (int, int)
        Height and width of the radiograph.

    Returns
    -------
    first, last : int
        Columns of the square. A column whose grey levels range over at most `BORDER` is a border; if all do, none is.
    """
    (height, width), side, scale = shape, max(shape), len(square) / max(shape)
    above, beside = ((side - length) // 2 for length in shape)
    # Rows into which no padding was resampled: it would make every column vary.
    mixed = max(1, scale) if above else 0
    top, bottom = math.ceil(above * scale + mixed), math.floor((above + height) * scale - mixed)
    left, right = math.ceil(beside * scale), math.floor((beside + width) * scale)
    varied = np.flatnonzero(np.ptp(square[top : max(bottom, top + 1), left : max(right, left + 1)], axis=0) > BORDER)
    if not len(varied):
        return left, max(right - 1, left)
    return left + int(varied[0]), left + int(varied[-1])


def refusal(heart: np.ndarray, lungs: np.ndarray, columns: tuple[int, int]) -> str:
    """Return why the two masks do not give a cardiothoracic ratio, or an empty string if they do.

    Parameters
    ----------
    heart, lungs : (size, size) bool array
        Masks on the square around the radiograph.
    columns : (int, int)
        First and last column of the radiograph there, as `content` returns them.
    """
    inner, outer = extent(heart), extent(lungs)
    if not inner or not outer:
        return f"no {'lung' if inner else 'heart'} found"
    margin = EDGE * len(heart)
    for verb, found in (("lungs reach", outer), ("heart reaches", inner)):
        if found.first - columns[0] < margin or columns[1] - found.last < margin:
            return f"the {verb} the edge of the picture and may be cut off"
    if inner.first < outer.first or inner.last > outer.last:
        return "the heart reaches beyond the lungs"
    if not LIMITS[0] <= (share := inner.width / outer.width) <= LIMITS[1]:
        return f"a ratio of {share:.2f} is not plausible (expected {LIMITS[0]} to {LIMITS[1]})"
    return ""
