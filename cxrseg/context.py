"""What a Dice can be held against: a boundary wrong by a pixel or two, and two people who outline the same lungs."""

from collections.abc import Iterable

import numpy as np
from scipy.ndimage import distance_transform_edt

from cxrseg.parallel import starmap

PIXELS = (1, 2)
"""Boundary errors whose cost in Dice is stated, in pixels."""

SECOND_OBSERVER_IOU = 0.946
"""Mean overlap (intersection over union) of a second human observer with the first, lung fields of the 247
radiographs of JSRT: van Ginneken, Stegmann & Loog, Med Image Anal 10:19-40, 2006. Clean, upright films."""


def dice_of_iou(iou: float) -> float:
    """Return the Dice of one mask from its intersection over union, both 0 to 1: 2 J / (1 + J).

    Of a mean overlap it gives the mean Dice only nearly: the curve bends, by less than 0.001 where cases
    scatter as two observers do.
    """
    return 2 * iou / (1 + iou)


def summarise(masks: Iterable[np.ndarray]) -> dict[str, dict[str, float]]:
    """Return the mean Dice of masks with themselves, drawn one and two pixels too small and too large.

    Parameters
    ----------
    masks : iterable of (H, W) bool arrays
        Reference masks; empty ones have no outline and are left out.

    Returns
    -------
    dict
        ``1px`` and ``2px``, each with ``n`` masks and the mean Dice ``too_small`` and ``too_large``: of a mask
        without the pixels so near to its outside, and of one with the pixels so near to it, by the distance between
        their centres. Empty where no mask holds anything.
    """
    # An empty mask never reaches a worker: the band of nothing would be a perfect 1.
    bands = np.array(list(starmap(_bands, ((mask,) for mask in masks if mask.any()))))
    if not len(bands):
        return {}
    return {
        f"{pixels}px": {"n": len(bands), "too_small": float(small), "too_large": float(large)}
        for pixels, (small, large) in zip(PIXELS, bands.mean(axis=0), strict=True)
    }


def _bands(mask: np.ndarray) -> list[tuple[float, float]]:
    """Return the Dice of a mask drawn too small and too large by each of `PIXELS`."""
    # Nothing farther from the mask than the widest band matters, and a distance transform costs by the pixel.
    margin = max(PIXELS) + 1
    near = tuple(
        slice(max(0, held[0] - margin), held[-1] + margin + 1)
        for held in (np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0)))
    )
    mask = mask[near]
    if mask.all():  # no outline
        return [(1.0, 1.0)] * len(PIXELS)
    inwards, outwards, area = distance_transform_edt(mask), distance_transform_edt(~mask), np.count_nonzero(mask)
    sizes = [(np.count_nonzero(inwards > pixels), np.count_nonzero(outwards <= pixels)) for pixels in PIXELS]
    return [(2 * small / (small + area), 2 * area / (area + large)) for small, large in sizes]
