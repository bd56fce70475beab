"""Calibration of the probabilities: reliability, expected calibration error, and the Dice at every threshold.

Stored probabilities have 256 levels. Counting the pixels at each level, inside and outside the reference mask,
therefore gives every number here exactly, without sampling pixels.

The expected calibration error (ECE) is the absolute difference between mean predicted probability and observed
frequency in each of ten bins, averaged over pixels. Most pixels of a radiograph are clearly not lung, which lowers
the ECE. It is therefore also reported for the pixels near the predicted or the reference outline.

References
----------
Guo, Pleiss, Sun & Weinberger, On calibration of modern neural networks, ICML 2017 (reliability diagram, ECE).
Jungo, Balsiger & Reyes, Analyzing the quality and challenges of uncertainty estimations for brain tumor
segmentation, Front Neurosci 14:282, 2020 (why to look near the outline).
"""

from collections.abc import Iterable

import numpy as np

from cxrseg.parallel import starmap

BINS = 10
BAND = 3
"""A pixel is near an outline if the outline is at most this many pixels away along both rows and columns."""
THRESHOLDS = np.arange(1, 20) / 20


def calibrate(pairs: Iterable[tuple[np.ndarray, np.ndarray]], threshold: float = 0.5) -> dict:
    """Summarise the calibration of stored probabilities against reference masks.

    Parameters
    ----------
    pairs : iterable of ((H, W) bool array, (H, W) uint8 array)
        Reference mask of each image, and its predicted probability in steps of 1/255.
    threshold : float
        Lowest probability, 0 to 1, at which a pixel belongs to the predicted mask. It sets the predicted outline.

    Returns
    -------
    dict
        ``all`` and ``near_outline`` each hold ``pixels``, ``ece`` (0 to 1), ``overconfidence`` (mean probability
        minus share of reference pixels, -1 to 1) and ``bins``. ``bins`` lists the non-empty ones of ten bins in
        ascending order, with ``probability`` (mean), ``frequency`` (share of reference pixels) and ``share`` (of
        all pixels). ``band_px`` is the width of the band on each side of an outline. ``thresholds`` holds the
        lists ``threshold`` and ``dice`` (mean per image), the threshold ``best`` and its ``best_dice``.

    Raises
    ------
    ValueError
        There are no images, or probabilities are not uint8 or differ in shape from their mask.
    """
    total, dice = np.zeros((2, 2, 256), int), []
    for counts in starmap(count, ((truth, levels, threshold) for truth, levels in pairs)):
        total = total + counts  # all or near the outline, outside or inside the reference, levels
        dice.append(dice_by_threshold(counts[:1], THRESHOLDS)[0])
    if not dice:
        raise ValueError("calibration needs at least one image, got none")
    mean_dice = np.mean(dice, axis=0)
    best = int(np.argmax(mean_dice))
    return {
        "all": reliability(total[0]),
        "near_outline": reliability(total[1]),
        "band_px": BAND,
        "thresholds": {
            "threshold": THRESHOLDS.tolist(),
            "dice": mean_dice.tolist(),
            "best": float(THRESHOLDS[best]),
            "best_dice": float(mean_dice[best]),
        },
    }


def count(truth: np.ndarray, levels: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Count the pixels of one image at each probability level.

    Parameters
    ----------
    truth : (H, W) bool array
    levels : (H, W) uint8 array
        Probability in steps of 1/255.
    threshold : float
        See `calibrate`.

    Returns
    -------
    (2, 2, 256) int array
        Axes: all pixels or those near an outline; outside or inside the reference mask; level.
    """
    if levels.dtype != np.uint8 or levels.shape != truth.shape:
        raise ValueError(
            f"levels must be uint8 of the shape of truth {truth.shape}, not {levels.dtype} of {levels.shape}"
        )
    near = _near_outline(truth) | _near_outline(levels >= threshold * 255)
    index = levels + 256 * truth.astype(np.intp)
    return np.stack([np.bincount(part, minlength=512).reshape(2, 256) for part in (index.ravel(), index[near])])


def reliability(counts: np.ndarray) -> dict:
    """Return ``pixels``, ``ece``, ``overconfidence`` and ``bins`` (see `calibrate`) of (2, 256) counts."""
    pixels = int(counts.sum())
    if not pixels:
        return {"pixels": 0, "ece": 0.0, "overconfidence": 0.0, "bins": []}
    probability = np.arange(256) / 255
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    every = counts.sum(axis=0)
    total, inside, said = (np.bincount(place, weights, BINS) for weights in (every, counts[1], every * probability))
    return {
        "pixels": pixels,
        "ece": float(np.abs(said - inside).sum() / pixels),
        "overconfidence": float((said - inside).sum() / pixels),
        "bins": [
            {
                "probability": float(said[k] / total[k]),
                "frequency": float(inside[k] / total[k]),
                "share": float(total[k] / pixels),
            }
            for k in np.flatnonzero(total)
        ],
    }


def dice_by_threshold(counts: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return the Dice of each image at each threshold.

    Parameters
    ----------
    counts : (n, 2, 256) int array
        Number of pixels outside and inside the reference mask at each level.
    thresholds : (t,) array
        Lowest probability, 0 to 1, at which a pixel belongs to the predicted mask.

    Returns
    -------
    (n, t) array, 0 to 1
        1 where both masks are empty.
    """
    first = np.ceil(np.asarray(thresholds) * 255 - 1e-9).astype(int)  # the lowest level in the predicted mask
    predicted = counts[..., ::-1].cumsum(axis=-1)[..., ::-1][..., first]
    whole = predicted.sum(axis=1) + counts[:, 1].sum(axis=-1, keepdims=True)
    return np.divide(2 * predicted[:, 1], whole, out=np.ones(whole.shape), where=whole > 0)


def _near_outline(mask: np.ndarray) -> np.ndarray:
    """Return the pixels that have both mask and background within `BAND` pixels along rows and columns."""
    return _spread(mask) & _spread(~mask)


def _spread(mask: np.ndarray) -> np.ndarray:
    """Dilate a mask by `BAND` pixels along rows and columns."""
    # A union of shifted views is many times faster than a rank filter on a boolean mask.
    for axis, side in enumerate(mask.shape):
        around = np.pad(mask, [(BAND * (axis == k),) * 2 for k in (0, 1)])
        shifts = (around.take(range(start, start + side), axis) for start in range(2 * BAND + 1))
        mask = np.logical_or.reduce(list(shifts))
    return mask
