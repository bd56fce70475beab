"""Predict the Dice of a segmentation without a reference mask, from the prediction itself.

Seven features of a predicted lung mask, its probabilities and its radiograph enter one logistic function. Each
feature takes a few lines in any language. ``quality.json`` beside this file holds the weights, and the mean shape
that one feature compares with. ``experiments/quality.py`` fits them on phantoms alone and evaluates them on real
radiographs.

References
----------
Valindria et al., Reverse classification accuracy, IEEE Trans Med Imaging 36:1597-1606, 2017 (the same aim by
another way). Geifman & El-Yaniv, Selective classification for deep neural networks, NeurIPS 2017 (risk and
coverage).
"""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import cc3d
import numpy as np

GRID = 16
"""Side of the coarse grid on which the mask's shape and the run of its outline are looked at."""
RING, RIM = 1 / 20, 1 / 40
"""Width of the surroundings that the lungs are compared with, and of the two strips along the outline, as
shares of the image's height. Distances go along rows and columns."""
FAILURE = 0.85
"""Dice below which a prediction counts as failed when the score is judged."""
FEATURES = ("stability", "shape", "stray", "balance", "contrast", "edge_contrast", "edge_agreement")


def predict(probability: np.ndarray, image: np.ndarray, threshold: float = 0.5) -> float:
    """Predict the Dice of a lung segmentation without a reference mask.

    Parameters
    ----------
    probability : (H, W) float array, 0 to 1
        What the network says of each pixel, on a square grid that shows the whole chest.
    image : (H, W) uint8 array
        The radiograph on the same grid, 0 black to 255 white.
    threshold : float
        Probability from which a pixel counts as lung.

    Returns
    -------
    float
        From 0 to 1; 0 for an empty mask, because every chest has lungs.

    Raises
    ------
    ValueError
        The arrays are not two-dimensional or not of one shape.
    """
    mask = probability >= threshold
    if not mask.any():
        _check(probability, image)
        return 0.0
    weights = model()["weights"]
    measured = features(probability, image, threshold)
    return float(_logistic(weights["bias"] + sum(weights[name] * measured[name] for name in FEATURES)))


def predict_all(pairs: Iterable[tuple[np.ndarray, np.ndarray]], threshold: float = 0.5) -> list[float]:
    """Predict the Dice of many segmentations, on all cores.

    Parameters
    ----------
    pairs : iterable of ((H, W) uint8 array, (H, W) uint8 array)
        Probability in steps of 1/255, and radiograph.
    threshold : float
        As for `predict`.
    """
    from cxrseg.parallel import starmap  # keeps joblib out of `cxrseg segment`

    return list(starmap(_predict_stored, ((levels, image, threshold) for levels, image in pairs)))


def features(probability: np.ndarray, image: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    """Return the seven features of a prediction with at least one pixel.

    Parameters
    ----------
    probability, image, threshold
        As for `predict`.

    Returns
    -------
    dict of str to float
        ``stability``: how little the mask grows when the threshold is lowered to 0.6 of itself, as
        -log(1.01 - Dice of both masks). ``shape``: agreement of the mask with the mean shape on a coarse
        grid, as a logarithm. ``stray``: share of the mask outside its two largest pieces, at most 0.5.
        ``balance``: the smaller of the mask's parts left and right of the middle, over the larger.
        ``contrast``, ``edge_contrast``: how much brighter than the lungs all the rest is, and what lies next
        to them, -1 to 1. ``edge_agreement``: share of the grid's cells along the outline in which it is
        brighter just outside than just inside.
    """
    _check(probability, image)
    mask = probability >= threshold
    area, (height, width) = np.count_nonzero(mask), mask.shape
    grown = np.count_nonzero(probability >= 0.6 * threshold)
    coarse, mean = shape(mask), np.array(model()["mean_shape"]) / 100
    agreement = 2 * np.minimum(coarse, mean).sum() / (coarse.sum() + mean.sum())
    pieces = np.sort(np.bincount(cc3d.connected_components(mask, connectivity=4).ravel())[1:])
    left, right = int(mask[:, : width // 2].sum()), int(mask[:, width - width // 2 :].sum())

    ring, rim = (max(1, round(share * height)) for share in (RING, RIM))
    outer, inner = _grown(mask, rim) & ~mask, _grown(~mask, rim) & mask
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
        "edge_agreement": _agreement(image, outer, inner),
    }


def shape(mask: np.ndarray) -> np.ndarray:
    """Return the share of each cell of a coarse (16, 16) grid that the mask covers."""
    held, size = _by_cell(mask, np.ones(mask.shape)), _by_cell(np.ones(mask.shape, bool), np.ones(mask.shape))
    return (held / np.maximum(size, 1)).reshape(GRID, GRID)


def _grown(mask: np.ndarray, steps: int) -> np.ndarray:
    """Return the pixels within so many steps, along rows and columns, of a pixel of the mask."""
    for _ in range(steps):
        wider = mask.copy()
        wider[1:] |= mask[:-1]
        wider[:-1] |= mask[1:]
        wider[:, 1:] |= mask[:, :-1]
        wider[:, :-1] |= mask[:, 1:]
        mask = wider
    return mask


def _agreement(image: np.ndarray, outside: np.ndarray, inside: np.ndarray) -> float:
    """Return the share of cells with at least two pixels of each strip in which the outer is brighter on average."""
    ones = np.ones(image.shape)
    counts = [_by_cell(part, ones) for part in (outside, inside)]
    passed = np.minimum(*counts) >= 2
    if not passed.any():
        return 0.0
    outer, inner = (
        _by_cell(part, image)[passed] / count[passed] for part, count in zip((outside, inside), counts, strict=True)
    )
    return float(np.mean(outer > inner))


def _by_cell(part: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the sum of values over the pixels of a part, for each of the (256,) cells of the grid."""
    rows, columns = (np.arange(side) * GRID // side for side in part.shape)
    cell = rows[:, None] * GRID + columns
    return np.bincount(cell[part], values[part], GRID * GRID)


@cache
def model() -> dict:
    """Return ``weights`` (``bias`` and one for each of `FEATURES`) and ``mean_shape`` (percent, by grid cell)."""
    return json.loads(Path(__file__).with_name("quality.json").read_text())


def judge(predicted: np.ndarray, dice: np.ndarray) -> dict[str, float]:
    """Summarise how well predicted Dice values match the true ones.

    Parameters
    ----------
    predicted, dice : (n,) arrays, 0 to 1

    Returns
    -------
    dict
        ``n``; ``r``, Pearson's correlation (0 where either does not vary); ``mae``, mean absolute error;
        ``mae_constant``, that of the best constant guess, which is the median Dice; ``mae_ratio`` of the two
        (0 where both are); ``failed``, the share below a Dice of 0.85; ``worst_tenth_finds``, the share of
        these that the tenth with the lowest prediction holds (1 where there are none to find).
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
