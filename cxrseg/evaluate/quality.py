"""Predict the Dice of a lung segmentation without a reference mask.

A logistic function of seven features gives the predicted Dice. The features are computed from the predicted mask, its
probabilities and the radiograph, and each is simple enough to implement in any language. ``quality.json`` in this
folder holds the weights, and the mean shape that one feature uses. The experiment ``quality`` fits them on phantoms
alone and evaluates them on real radiographs.

References
----------
Valindria et al., Reverse classification accuracy, IEEE Trans Med Imaging 36:1597-1606, 2017 (another method for
the same task). Geifman & El-Yaniv, Selective classification for deep neural networks, NeurIPS 2017 (risk-coverage).
"""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import cc3d
import numpy as np

GRID = 16
"""Number of cells along each side of the coarse grid for the shape and the edge agreement."""
RING, RIM = 1 / 20, 1 / 40
"""Width of the ring around the lungs for the edge contrast, and of the strips on either side of the outline for the
edge agreement, as shares of the image's height. Distances are city-block distances."""
FAILURE = 0.85
"""Dice below which a segmentation counts as a failure when the predicted Dice is evaluated."""
FEATURES = ("stability", "shape", "stray", "balance", "contrast", "edge_contrast", "edge_agreement")


def predict(probability: np.ndarray, image: np.ndarray, threshold: float = 0.5) -> float:
    """Predict the Dice of a lung segmentation without a reference mask.

    Parameters
    ----------
    probability : (H, W) float array, 0 to 1
        Predicted probability of lung, on a square grid that shows the whole chest.
    image : (H, W) uint8 array
        The radiograph on the same grid, from 0 (black) to 255 (white).
    threshold : float
        Lowest probability, 0 to 1, at which a pixel is lung.

    Returns
    -------
    float
        Predicted Dice, 0 to 1. It is 0 for an empty mask, because every chest has lungs.

    Raises
    ------
    ValueError
        The arrays are not two-dimensional or not of the same shape.
    """
    mask = probability >= threshold
    if not mask.any():
        _check(probability, image)
        return 0.0
    weights = model()["weights"]
    measured = features(probability, image, threshold)
    return float(_logistic(weights["bias"] + sum(weights[name] * measured[name] for name in FEATURES)))


def predict_all(pairs: Iterable[tuple[np.ndarray, np.ndarray]], threshold: float = 0.5) -> list[float]:
    """Predict the Dice of many segmentations on all cores.

    Parameters
    ----------
    pairs : iterable of ((H, W) uint8 array, (H, W) uint8 array)
        Probability in steps of 1/255, and radiograph.
    threshold : float
        As for `predict`.
    """
    from cxrseg.parallel import starmap  # imported here so that `cxrseg segment` does not load joblib

    return list(starmap(_predict_stored, ((levels, image, threshold) for levels, image in pairs)))


def features(
    probability: np.ndarray, image: np.ndarray, threshold: float = 0.5, mean_shape: np.ndarray | None = None
) -> dict[str, float]:
    """Compute the seven features of a prediction whose mask is not empty.

    Parameters
    ----------
    probability, image, threshold
        As for `predict`.
    mean_shape : (16, 16) array, optional
        Percent of each cell of the coarse grid that lungs cover on average; by default that of `model`.

    Returns
    -------
    dict of str to float
        ``stability``: -log(1.01 - Dice), with the Dice of the mask and the mask at 0.6 times the threshold.
        ``shape``: logarithm of the agreement (0.05 to 1) between the mask and the mean shape on the coarse grid.
        ``stray``: share of the mask outside its two largest 4-connected components, at most 0.5.
        ``balance``: smaller over larger of the areas in the left and the right half of the image, 0 to 1.
        ``contrast`` and ``edge_contrast``: mean grey level of the background, and of the ring around the lungs, minus
        that of the lungs, as a share of 255, -1 to 1. ``edge_agreement``: see the function of this name.
    """
    _check(probability, image)
    mask = probability >= threshold
    area, (height, width) = np.count_nonzero(mask), mask.shape
    grown = np.count_nonzero(probability >= 0.6 * threshold)
    coarse, mean = shape(mask), np.array(model()["mean_shape"] if mean_shape is None else mean_shape) / 100
    agreement = 2 * np.minimum(coarse, mean).sum() / (coarse.sum() + mean.sum())
    pieces = np.sort(np.bincount(cc3d.connected_components(mask, connectivity=4).ravel())[1:])
    left, right = int(mask[:, : width // 2].sum()), int(mask[:, width - width // 2 :].sum())

    ring = max(1, round(RING * height))
    inside = image[mask].mean()
    rest, near = (
        (image[part].mean() - inside) / 255 if part.any() else 0.0 for part in (~mask, _grown(mask, ring) & ~mask)
    )
    return {
        "stability": float(-np.log(1.01 - 2 * area / (area + grown))),
        "shape": float(np.log(max(agreement, 0.05))),
        "stray": float(min(pieces[:-2].sum() / area, 0.5)),
        "balance": float(min(left, right) / max(left, right, 1)),
        "contrast": float(rest),
        "edge_contrast": float(near),
        "edge_agreement": edge_agreement(mask, image),
    }


def edge_agreement(mask: np.ndarray, image: np.ndarray) -> float:
    """Return the share of the coarse grid's cells along the outline that are brighter outside the outline than inside.

    Two strips of pixels, just outside and just inside the outline, are compared in each cell that holds at least two
    pixels of both. The share is 0 to 1, and 0 if there is no such cell.

    Parameters
    ----------
    mask : (H, W) bool array
    image : (H, W) uint8 array
    """
    rim = max(1, round(RIM * len(mask)))
    strips = _grown(mask, rim) & ~mask, _grown(~mask, rim) & mask
    counts = [_by_cell(strip) for strip in strips]
    passed = np.minimum(*counts) >= 2
    if not passed.any():
        return 0.0
    outer, inner = (_by_cell(strip, image)[passed] / count[passed] for strip, count in zip(strips, counts, strict=True))
    return float(np.mean(outer > inner))


def shape(mask: np.ndarray) -> np.ndarray:
    """Return the share of each cell of the coarse (16, 16) grid that the mask covers, 0 to 1."""
    return (_by_cell(mask) / np.maximum(_by_cell(np.ones(mask.shape, bool)), 1)).reshape(GRID, GRID)


def _grown(mask: np.ndarray, steps: int) -> np.ndarray:
    """Dilate a mask by `steps` pixels of city-block distance."""
    for _ in range(steps):
        wider = mask.copy()
        wider[1:] |= mask[:-1]
        wider[:-1] |= mask[1:]
        wider[:, 1:] |= mask[:, :-1]
        wider[:, :-1] |= mask[:, 1:]
        mask = wider
    return mask


def _by_cell(part: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
    """Return the number of pixels of a region, or the sum of their values, in each of the (256,) cells."""
    return np.bincount(_cells(part.shape)[part], None if values is None else values[part], GRID * GRID)


@cache
def _cells(shape: tuple[int, int]) -> np.ndarray:
    """Return the coarse grid's cell of each pixel."""
    rows, columns = (np.arange(side) * GRID // side for side in shape)
    return rows[:, None] * GRID + columns


@cache
def model() -> dict:
    """Return ``weights`` (``bias`` and one per name in `FEATURES`) and ``mean_shape`` (percent per grid cell)."""
    return json.loads(Path(__file__).with_name("quality.json").read_text())


def judge(predicted: np.ndarray, dice: np.ndarray) -> dict[str, float]:
    """Summarise the agreement of predicted with true Dice values.

    Parameters
    ----------
    predicted, dice : (n,) arrays, 0 to 1

    Returns
    -------
    dict
        ``n``. ``r``: Pearson correlation, 0 if either array is constant. ``mae``: mean absolute error.
        ``mae_constant``: mean absolute error of the best constant prediction, the median Dice. ``mae_ratio``: ratio
        of the two, 0 if ``mae_constant`` is 0. ``failed``: share of cases below a Dice of 0.85. ``worst_tenth_finds``:
        share of these failures within the tenth of cases with the lowest prediction, 1 if there is no failure.
    """
    predicted, dice = np.asarray(predicted, float), np.asarray(dice, float)
    failed = dice < FAILURE
    tenth = np.argsort(predicted, kind="stable")[: max(1, len(dice) // 10)]
    error, constant = np.abs(predicted - dice).mean(), np.abs(dice - np.median(dice)).mean()
    varies = np.ptp(predicted) > 0 and np.ptp(dice) > 0
    return {
        "n": len(dice),
        "r": float(np.corrcoef(predicted, dice)[0, 1]) if varies else 0.0,
        "mae": float(error),
        "mae_constant": float(constant),
        "mae_ratio": float(error / constant) if constant else 0.0,
        "failed": float(failed.mean()),
        "worst_tenth_finds": float(failed[tenth].sum() / failed.sum()) if failed.any() else 1.0,
    }


def _predict_stored(levels: np.ndarray, image: np.ndarray, threshold: float) -> float:
    return predict(levels / 255, image, threshold)


def _logistic(x):
    return 1 / (1 + np.exp(-x))


def _check(probability: np.ndarray, image: np.ndarray) -> None:
    if probability.ndim != 2 or probability.shape != image.shape:
        raise ValueError(f"probability and image must be (H, W), not {probability.shape} and {image.shape}")
