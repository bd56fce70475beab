"""Measure what was segmented."""

import numpy as np


def lung_areas(mask: np.ndarray, levels: np.ndarray) -> tuple[int, int]:
    """Return the area of lung on the image's left (the patient's right lung) and on its right, pixels of the mask.

    Parameters
    ----------
    mask : (height, width) bool array
        The lungs, in the image's own pixels.
    levels : (grid, grid) uint8 array
        Probability times 255 on the square around the image: says where one lung ends and the other begins.
    """
    height, width = mask.shape
    side = max(height, width)
    border = round(between_lungs(levels) * side) - (side - width) // 2
    border = min(max(border, 0), width)
    whole = int(np.count_nonzero(mask))
    on_left = int(np.count_nonzero(mask[:, :border]))
    return on_left, whole - on_left


def between_lungs(levels: np.ndarray) -> float:
    """Find the column between the two lungs: the emptiest of the middle third of the picture.

    It does not depend on a threshold, and holds where a lung is missing or the two touch.

    Parameters
    ----------
    levels : (height, width) uint8 array
        Probability times 255.

    Returns
    -------
    float
        Its place across the picture, 0 left to 1 right.
    """
    width = levels.shape[1]
    # Of several empty columns, the most central one.
    cost = levels.sum(axis=0, dtype=np.int64) + 0.25 * np.abs(np.arange(width) - (width - 1) / 2)
    first, last = width // 3, width - width // 3
    return (first + int(np.argmin(cost[first:last])) + 0.5) / width
