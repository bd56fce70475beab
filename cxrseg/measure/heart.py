"""Measure the cardiothoracic ratio: the width of the heart as a share of the width of both lungs.

It is defined for upright posteroanterior films. In anteroposterior films and in supine patients the heart looks wider.

References
----------
Danzer, The cardiothoracic ratio: an index of cardiac enlargement, Am J Med Sci 157:513-521, 1919.
"""

from typing import NamedTuple

import numpy as np

LIMITS = (0.25, 0.85)
"""Smallest and largest plausible ratio."""

EDGE = 0.01
"""Distance from the left or right edge of the picture, as a share of its side, within which an organ may be cut off."""


class Extent(NamedTuple):
    """Widest extent of an organ across the picture, in pixels.

    Attributes
    ----------
    first, last : int
        First and last column.
    first_row, last_row : int
        Where the organ reaches these columns.
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
    """Return the widest extent of an organ, or None if the mask is empty.

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


def refusal(heart: np.ndarray, lungs: np.ndarray, picture: np.ndarray) -> str:
    """Return why the two masks do not give a cardiothoracic ratio, or an empty string if they do.

    Parameters
    ----------
    heart, lungs : (height, width) bool array
    picture : (height, width) uint8 array
        The radiograph on the same grid. Columns of one grey level at its sides are taken for a border.
    """
    inner, outer = extent(heart), extent(lungs)
    if not inner or not outer:
        return f"no {'lung' if inner else 'heart'} found"
    content = np.flatnonzero(np.ptp(picture, axis=0))
    if not len(content):
        return "every pixel has one grey"
    margin = EDGE * len(picture)
    for name, found in (("lungs reach", outer), ("heart reaches", inner)):
        if found.first - content[0] < margin or content[-1] - found.last < margin:
            return f"the {name} the edge of the picture and may be cut off"
    if inner.first < outer.first or inner.last > outer.last:
        return "the heart reaches beyond the lungs"
    if not LIMITS[0] <= (share := inner.width / outer.width) <= LIMITS[1]:
        return f"a ratio of {share:.2f} is not plausible"
    return ""
