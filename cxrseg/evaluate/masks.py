"""Convert probabilities to masks."""

from collections.abc import Sequence

import cc3d
import numpy as np

from cxrseg.models import LUNGS, outputs

ONE_PIECE = {*LUNGS, "heart"}
"""Structures of one piece."""

SMALL = 0.1
"""Share of the largest component below which another component is dropped, being too small for the second lung."""


def to_levels(probability: np.ndarray) -> np.ndarray:
    """Quantise probabilities, 0 to 1, to uint8 steps of 1/255, from which all scores and figures are computed."""
    return np.round(probability * 255).astype(np.uint8)


def to_masks(
    levels: np.ndarray, threshold: float, pieces: int = 0, structures: Sequence[str] = ("lungs",)
) -> np.ndarray:
    """Threshold probabilities and keep the largest connected components of organs.

    Parameters
    ----------
    levels : (height, width, structures) uint8 array
        Probability times 255, as `to_levels` returns it.
    threshold : float
        Lowest probability, 0 to 1, at which a pixel belongs to a structure.
    pieces : int
        Number of 8-connected components of the first structure to keep, the largest first, with their holes
        filled. Components below `SMALL` of the largest are dropped. 0 leaves all masks unchanged. Otherwise one lung
        and the heart keep one component each, and lungs with both sides are the union of these.
    structures : sequence of str
        Names of the structures.

    Returns
    -------
    (height, width, structures) bool array
    """
    masks = levels >= threshold * 255
    if not pieces:
        return masks
    for k, name in enumerate(structures):
        if name in ONE_PIECE:
            masks[..., k] = _largest(masks[..., k], 1)
    if len(outputs(list(structures))) < len(structures):
        masks[..., 0] = np.logical_or.reduce([masks[..., structures.index(side)] for side in LUNGS])
    elif structures[0] not in ONE_PIECE:
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
    """Fill holes: background that is not 4-connected to the edge of the image."""
    outside = cc3d.connected_components(~mask, connectivity=4)
    edge = np.concatenate([outside[0], outside[-1], outside[:, 0], outside[:, -1]])
    return mask | ~np.isin(outside, edge)
