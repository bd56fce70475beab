"""Reference values for a Dice: baselines without a network, small outline errors, and a second observer.

Two baselines do not learn the appearance of lungs. The mean shape of the training masks is the same prediction
for every radiograph. Otsu's threshold with morphology uses no shape prior.

References
----------
Otsu, A threshold selection method from gray-level histograms, IEEE Trans Syst Man Cybern 9:62-66, 1979.
van Ginneken, Stegmann & Loog, Segmentation of anatomical structures in chest radiographs using supervised
methods, Med Image Anal 10:19-40, 2006 (the mean shape as a baseline, and the second observer).
"""

from collections.abc import Iterable

import numpy as np
from scipy.ndimage import binary_fill_holes, distance_transform_edt
from skimage.exposure import equalize_adapthist
from skimage.filters import gaussian, threshold_otsu
from skimage.measure import label
from skimage.morphology import isotropic_closing, isotropic_opening
from skimage.segmentation import clear_border

from cxrseg.parallel import starmap

PIXELS = (1, 2)
"""Outline errors, in pixels, whose effect on the Dice is reported."""

SECOND_OBSERVER_IOU = 0.946
"""Mean intersection over union of a second human observer with the first, for the lung fields of the 247 JSRT
radiographs (upright films of good quality): van Ginneken, Stegmann & Loog, Med Image Anal 10:19-40, 2006."""


def dice_of_iou(iou: float) -> float:
    """Convert intersection over union J to Dice, both 0 to 1: 2 J / (1 + J).

    A mean J gives the mean Dice only approximately, because the function is not linear. The error is below
    0.001 if the cases scatter as much as those of two observers.
    """
    return 2 * iou / (1 + iou)


def boundary_band(masks: Iterable[np.ndarray]) -> dict[str, dict[str, float]]:
    """Return the mean Dice between masks and copies of them that are one or two pixels too small or too large.

    Parameters
    ----------
    masks : iterable of (H, W) bool arrays
        Reference masks. Empty masks have no outline and are left out.

    Returns
    -------
    dict
        ``1px`` and ``2px``, each with ``n`` masks and the mean Dice ``too_small`` and ``too_large`` of eroded and
        dilated masks. A mask is eroded or dilated by the pixels whose centre lies within this distance of the centre
        of a pixel outside or inside it. The dict is empty if all masks are empty.
    """
    # Empty masks are left out, because their Dice with themselves would count as 1.
    bands = np.array(list(starmap(_bands, ((mask,) for mask in masks if mask.any()))))
    if not len(bands):
        return {}
    return {
        f"{pixels}px": {"n": len(bands), "too_small": float(small), "too_large": float(large)}
        for pixels, (small, large) in zip(PIXELS, bands.mean(axis=0), strict=True)
    }


def _bands(mask: np.ndarray) -> list[tuple[float, float]]:
    """Return the Dice of a mask with its eroded and its dilated copy for each of `PIXELS`."""
    # The mask is cropped, because a distance transform of fewer pixels is faster.
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


def mean_shape(masks: Iterable[np.ndarray]) -> np.ndarray:
    """Return the single mask that fits the training masks best.

    Each pixel has a share of training masks that contain it. The mean shape is the set of pixels whose share
    reaches a threshold, chosen for the highest Dice over all training pixels pooled. This Dice needs no second
    pass: for a set of pixels of area A and summed share s, it is 2 s / (A + mean mask area).

    Parameters
    ----------
    masks : iterable of n (H, W) arrays, boolean or 0/1
        Masks of the training cases, read one at a time from a memory-mapped (n, H, W) array or a generator.

    Returns
    -------
    (H, W) bool array

    Raises
    ------
    ValueError
        There are no masks, or their shapes differ.
    """
    count, total = 0, None
    for mask in masks:
        held = np.asarray(mask) != 0
        if total is None:
            total = np.zeros(held.shape)
        if held.shape != total.shape:
            raise ValueError(f"training masks must have one shape, got {total.shape} and {held.shape}")
        total += held
        count += 1
    if total is None:
        raise ValueError("the mean shape needs at least one training mask, got none")
    share = total / count
    levels = np.unique(share[share > 0])
    if levels.size == 0:
        return np.zeros(share.shape, bool)
    ordered = np.sort(share.ravel())
    # From the first pixel of a level on, all sorted pixels belong to the shape at that threshold.
    start = np.searchsorted(ordered, levels)
    held = np.cumsum(ordered[::-1])[::-1][start]
    dice = 2 * held / (ordered.size - start + share.sum())
    return share >= levels[np.argmax(dice)]


def otsu(image: np.ndarray) -> np.ndarray:
    """Segment the lungs as the two largest dark regions that do not touch the border.

    The contrast is first equalised locally (contrast-limited, with tiles of a quarter of each side), because lungs
    are dark only relative to their surroundings. After a slight blur, Otsu's threshold selects the dark pixels.
    Bridges of varying width may join the lungs to the dark air around the body. The mask is therefore opened with
    three radii, and the one that leaves the largest two regions is kept. A closing and hole filling follow. All lengths
    are relative to the shorter side. They were tuned by Dice on 300 real radiographs, to make the baseline a fair one.

    Parameters
    ----------
    image : (H, W) uint8 array
        Radiograph, from 0 (black) to 255 (white).

    Returns
    -------
    (H, W) bool array
        Empty if every dark region touches the border or the image is constant.

    Raises
    ------
    ValueError
        The image is not (H, W) uint8.
    """
    if image.ndim != 2 or image.dtype != np.uint8:
        raise ValueError(f"otsu needs an (H, W) uint8 image, not {image.dtype} of shape {image.shape}")
    if image.min() == image.max():
        return np.zeros(image.shape, bool)
    # Taking every second pixel at 256x256 is four times faster, and this outline is off by more than a pixel anyway.
    step = max(1, min(image.shape) // 128)
    small = image[::step, ::step]
    side = min(small.shape)
    quarters = [max(1, length // 4) for length in small.shape]
    even = gaussian(equalize_adapthist(small, kernel_size=quarters, clip_limit=0.02), side / 256)
    dark = even < threshold_otsu(even)
    lungs = max((_two_largest(isotropic_opening(dark, side / part)) for part in (84, 42, 21)), key=np.sum)
    closing = side / 25
    margin = int(closing) + 1  # without it, closing would grow along the border
    closed = isotropic_closing(np.pad(lungs, margin), closing)[margin:-margin, margin:-margin]
    height, width = image.shape
    return binary_fill_holes(closed).repeat(step, axis=0).repeat(step, axis=1)[:height, :width]


def _two_largest(mask: np.ndarray) -> np.ndarray:
    """Return the two largest regions that do not touch the border, or fewer if there are fewer."""
    regions = clear_border(label(mask, connectivity=1))
    areas = np.bincount(regions.ravel())
    areas[0] = 0  # background
    largest = np.argsort(-areas, kind="stable")[:2]
    return np.isin(regions, largest[areas[largest] > 0])
