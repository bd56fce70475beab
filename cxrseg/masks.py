"""From probabilities to a mask."""

import numpy as np
from scipy.ndimage import binary_fill_holes, label

SMALL = 0.1
"""A piece smaller than this share of the largest one is not kept: it is no second lung."""


def to_levels(probability: np.ndarray) -> np.ndarray:
    """Store probabilities, 0 to 1, in uint8 steps of 1/255: all scores and pictures start from these."""
    return np.round(probability * 255).astype(np.uint8)


def to_masks(levels: np.ndarray, threshold: float, pieces: int = 0) -> np.ndarray:
    """Cut probabilities at a threshold, and keep the largest pieces.

    Parameters
    ----------
    levels : (height, width, structures) uint8 array
        Probability times 255, as `to_levels` gives it.
    threshold : float
        A pixel belongs to a structure where its probability is at least this.
    pieces : int
        How many connected pieces (8 neighbours) of the first structure to keep, the largest first, their
        holes filled; 0: leave the mask as it is.

    Returns
    -------
    (height, width, structures) bool array
    """
    masks = levels >= threshold * 255
    if pieces:
        masks[..., 0] = _largest(masks[..., 0], pieces)
    return masks


def keep_largest(probability: np.ndarray, threshold: float, pieces: int) -> np.ndarray:
    """Change probabilities so that their mask has the largest pieces only, their holes filled, on any finer grid too.

    Parameters
    ----------
    probability : (height, width) float32 array, 0 to 1
    threshold : float
    pieces : int
        As for `to_masks`.

    Returns
    -------
    (height, width) float32 array
        0 in the pieces that are not kept, 1 in the holes; `probability` itself where `pieces` is 0.
    """
    if not pieces:
        return probability
    mask = probability >= threshold
    kept = _largest(mask, pieces)
    return np.where(mask & ~kept, np.float32(0), np.where(kept & ~mask, np.float32(1), probability))


def _largest(mask: np.ndarray, pieces: int) -> np.ndarray:
    labels, found = label(mask, np.ones((3, 3)))
    if not found:
        return mask
    sizes = np.bincount(labels.ravel())[1:]
    order = np.argsort(-sizes, kind="stable")[:pieces]
    keep = order[sizes[order] >= SMALL * sizes.max()] + 1
    return binary_fill_holes(np.isin(labels, keep))
