"""Measure the areas of the two lungs."""

import numpy as np


def lung_areas(mask: np.ndarray, levels: np.ndarray) -> tuple[int, int]:
    """Return the lung area on the left of the image (the patient's right lung) and on its right, in mask pixels.

    Parameters
    ----------
    mask : (height, width) bool array
        Lung mask at the native resolution of the image.
    levels : (grid, grid) uint8 array
        Probability times 255 on the square around the image. It determines the column between the lungs.
    """
    height, width = mask.shape
    side = max(height, width)
    border = round(between_lungs(levels) * side) - (side - width) // 2
    border = min(max(border, 0), width)
    whole = int(np.count_nonzero(mask))
    on_left = int(np.count_nonzero(mask[:, :border]))
    return on_left, whole - on_left


def between_lungs(levels: np.ndarray) -> float:
    """Find the column between the two lungs, where the summed probability in the middle third of the image is lowest.

    The result does not depend on a threshold and is valid even if a lung is missing or the two lungs touch.

    Parameters
    ----------
    levels : (height, width) uint8 array
        Probability times 255.

    Returns
    -------
    float
        Position across the image, from 0 (left) to 1 (right).
    """
    width = levels.shape[1]
    # The small distance term selects the most central of several empty columns.
    cost = levels.sum(axis=0, dtype=np.int64) + 0.25 * np.abs(np.arange(width) - (width - 1) / 2)
    first, last = width // 3, width - width // 3
    return (first + int(np.argmin(cost[first:last])) + 0.5) / width
