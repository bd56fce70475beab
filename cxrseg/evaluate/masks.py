"""Turn probabilities into masks."""

import cc3d
import numpy as np

SMALL = 0.1
"""A piece smaller than this share of the largest one is dropped, because it cannot be the second lung."""


def to_levels(probability: np.ndarray) -> np.ndarray:
    """Quantise probabilities, 0 to 1, to uint8 steps of 1/255. All scores and pictures start from these."""
    return np.round(probability * 255).astype(np.uint8)


def to_masks(levels: np.ndarray, threshold: float, pieces: int = 0) -> np.ndarray:
    """Threshold probabilities, and keep the largest pieces.

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


def _largest(mask: np.ndarray, pieces: int) -> np.ndarray:
    labels = cc3d.connected_components(mask, connectivity=8)
    if not labels.any():
        return mask
    sizes = np.bincount(labels.ravel())[1:]
    order = np.argsort(-sizes, kind="stable")[:pieces]
    keep = order[sizes[order] >= SMALL * sizes.max()] + 1
    return _filled(np.isin(labels, keep))


def _filled(mask: np.ndarray) -> np.ndarray:
    """Fill what the mask encloses: background that no path of 4 neighbours joins to the edge of the image."""
    outside = cc3d.connected_components(~mask, connectivity=4)
    edge = np.concatenate([outside[0], outside[-1], outside[:, 0], outside[:, -1]])
    return mask | ~np.isin(outside, edge)
