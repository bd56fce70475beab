"""Measure the shape of a pair of lung fields, for phantoms and for real masks alike."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage


class LungShape(NamedTuple):
    """Position and size of the lung fields in one mask.

    Attributes
    ----------
    area : float
        Share of the image that is lung, 0 to 1.
    right_to_left : float
        Area of the patient's right lung, on the left of the image, divided by that of the left lung.
    height_to_width : float
        Height divided by width of the bounding box of both lungs, each in pixels.
    apex : float
        Upper edge of that box as a share of the image's height, 0 (top) to 1.
    diaphragm : float
        Mean row of the lower border of both lungs, over the middle half of each lung's columns, 0 (top) to 1.
    """

    area: float
    right_to_left: float
    height_to_width: float
    apex: float
    diaphragm: float


def lung_shape(mask: np.ndarray) -> LungShape:
    """Measure a lung mask.

    Parameters
    ----------
    mask : (height, width) bool array
        The lung fields. The two largest 8-connected components are taken as the lungs. If there is only one (touching
        lungs), or the second is at most a tenth of the first, the mask is split at the column of its centre of mass.

    Returns
    -------
    LungShape

    Raises
    ------
    ValueError
        The mask is empty, not two-dimensional, or covers only one side after the split.
    """
    mask = np.asarray(mask, bool)
    if mask.ndim != 2 or not mask.any():
        raise ValueError(f"expected a two-dimensional mask with some lung, got shape {mask.shape}, sum {mask.sum()}")
    first, second = _two_lungs(mask)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return LungShape(
        area=float(mask.mean()),
        right_to_left=float(first.sum() / second.sum()),
        height_to_width=float((rows[-1] - rows[0] + 1) / (columns[-1] - columns[0] + 1)),
        apex=float(rows[0] / mask.shape[0]),
        diaphragm=float(np.mean([_lower_border(first), _lower_border(second)]) / mask.shape[0]),
    )


def _two_lungs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lung on the left of the image and the one on its right."""
    parts, _ = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())[1:]
    largest = np.argsort(sizes)[::-1][:2]
    if len(largest) == 2 and sizes[largest[1]] > 0.1 * sizes[largest[0]]:
        lungs = [parts == 1 + k for k in largest]
        lungs.sort(key=lambda lung: lung.any(0).argmax())
        return lungs[0], lungs[1]
    columns = np.arange(mask.shape[1])
    first = mask & (columns < columns @ mask.sum(0) / mask.sum())
    second = mask & ~first
    if not first.any() or not second.any():
        raise ValueError("expected lung on both sides of the mask, got a single column")
    return first, second


def _lower_border(lung: np.ndarray) -> float:
    """Return the mean row of the lowest lung pixel over the middle half of the lung's columns."""
    columns = np.flatnonzero(lung.any(0))
    quarter = len(columns) // 4
    middle = lung[:, columns[quarter : len(columns) - quarter]]
    return float(np.mean(lung.shape[0] - middle[::-1].argmax(0)))
