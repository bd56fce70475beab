"""Hold reference masks against what the default model sees, to find masks that belong to other pictures."""

from collections.abc import Iterable
from contextlib import suppress

import numpy as np

from cxrseg.data.cases import Case
from cxrseg.data.dataset import Dataset
from cxrseg.data.prepare import read
from cxrseg.data.square import mask_to_square
from cxrseg.evaluate.metrics import overlap
from cxrseg.evaluate.predict import predict_image
from cxrseg.segment.model import load_model

CASES = 32
"""Number of cases that are looked at, spread over the dataset."""

LOW = 0.82
"""Median Dice below which masks are doubted. It lies between that of right masks, of COVID-QU-Ex and JSRT, and that of
wrong ones: of the next film, flipped, turned, mirrored, transposed or without one side."""


def spread(n: int) -> np.ndarray:
    """Return the numbers of up to `CASES` of n cases, evenly spread."""
    return np.unique(np.linspace(0, n - 1, min(n, CASES)).round().astype(int))


def dice(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> list[float]:
    """Return the Dice between the lungs of the default model and each reference mask.

    Parameters
    ----------
    pairs : iterable of ((height, width) uint8 array, (height, width) bool array)
        Image and reference mask of the lungs, of one shape.
    """
    model = load_model()
    scores = []
    for image, mask in pairs:
        found = predict_image(model.network, image, model.card.threshold, model.card.pieces).masks[..., 0]
        scores.append(overlap(mask_to_square(mask, len(found)), found)["dice"])
    return scores


def doubt(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> str:
    """Return a warning if most lung masks disagree grossly with the default model, else an empty string.

    The default model has learnt from drawings alone, so it knows none of the masks.

    Parameters
    ----------
    pairs
        As for `dice`.
    """
    scores = dice(pairs)
    if not scores or np.median(scores) >= LOW:
        return ""
    median = f"median Dice {np.median(scores):.2f} with the default model, {len(scores)} cases"
    return (
        f"most lung masks disagree grossly with the images ({median}): "
        "are the masks in another order or orientation, or inverted?"
    )


def doubt_dataset(dataset: Dataset) -> str:
    """Return `doubt` of a prepared dataset; an empty string for phantoms, whose masks are exact, and without lungs."""
    if dataset.record["parameters"]["source"] == "phantom" or "lungs" not in dataset.structures:
        return ""
    channel = dataset.structures.index("lungs")
    return doubt((dataset.images[n], dataset.masks[n, ..., channel] > 0) for n in spread(len(dataset.cases)))


def doubt_cases(cases: list[Case]) -> str:
    """Return `doubt` of cases that have lungs; those that cannot be read are passed over."""

    def pairs():
        for n in spread(len(cases)):
            with suppress(ValueError, OSError):
                image, masks, _ = read(cases[n], ["lungs"])
                yield image, masks[0]

    return doubt(pairs()) if cases and "lungs" in cases[0].masks else ""
