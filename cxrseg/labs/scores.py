"""Problems of the lab "What a score sees"."""

import math
from collections.abc import Callable

import numpy as np


def dice_of_counts(answer: float) -> str:
    """Ask for the Dice of 90 predicted and 110 reference pixels, 80 of them common."""
    if math.isclose(answer, 0.8, abs_tol=1e-3):
        return ""
    if math.isclose(answer, 2 / 3, abs_tol=2e-3):
        return "that is the intersection over union, the common pixels over all that are marked by either"
    if math.isclose(answer, 0.4, abs_tol=1e-3):
        return "the common pixels count twice, because they lie in both masks"
    return "divide twice the common pixels by the sum of both areas"


def iou_from_dice(function: Callable[[float], float]) -> str:
    """Ask for a function that turns a Dice into an intersection over union."""
    for common, either in ((80, 120), (1, 3), (0, 5), (7, 7)):
        dice = 2 * common / (either + common)
        found = function(dice)
        if found is None:
            return "the function returns nothing yet"
        if not math.isclose(found, common / either, abs_tol=1e-6):
            return (
                f"a Dice of {dice:.3f} belongs to an intersection over union of {common / either:.3f}, not {found:.3f}"
            )
    return ""


def most_noticed(answer: str) -> str:
    """Ask which of five mistakes HD95 takes for the worst."""
    known = ("thin", "shifted", "no apex", "a hole", "a stray piece")
    if answer == "a stray piece":
        return ""
    if answer not in known:
        return f"answer with one of {', '.join(known)}"
    return "look at the column of HD95: the largest distance is the worst"


def small_is_hard(radius: int) -> str:
    """Ask for the largest radius of a disc that loses more than 0.1 of Dice by one pixel around."""
    # A disc of radius r predicted as one of r + 1: twice the smaller area over the sum of both areas.
    lost = {r: 1 - 2 * r**2 / (r**2 + (r + 1) ** 2) for r in range(1, 100)}
    right = max(r for r, loss in lost.items() if loss > 0.1)
    if radius == right:
        return ""
    if radius > right:
        return f"at a radius of {radius}, one pixel costs {lost.get(radius, 0):.2f} only"
    return f"at a radius of {radius + 1}, one pixel still costs more than 0.1"


def both_means(per_image: float, per_batch: float) -> str:
    """Ask for both kinds of Dice of a lung of 1,000 pixels that is found and a lesion of 10 pixels that is missed."""
    if not math.isclose(per_image, 0.5, abs_tol=1e-3):
        return "per image, the first has a Dice of 1 and the second of 0: what is their mean?"
    if not math.isclose(per_batch, 2000 / 2010, abs_tol=1e-3):
        return "per batch, count the pixels of both images together before you divide"
    return ""


def handles_nothing(function: Callable[[np.ndarray, np.ndarray], float]) -> str:
    """Ask for a Dice that is defined where both masks are empty."""
    nothing, something = np.zeros((4, 4), bool), np.eye(4, dtype=bool)
    half = something & (np.arange(4) < 2)
    for truth, found, wanted, words in (
        (something, something, 1, "equal masks have a Dice of 1"),
        (something, half, 2 / 3, "if two of four pixels are found, the Dice is 2 · 2 / (4 + 2)"),
        (something, nothing, 0, "an empty mask where there is something has a Dice of 0"),
        (nothing, something, 0, "a mask where there is nothing has a Dice of 0"),
        (nothing, nothing, 1, "nothing found where nothing is deserves a Dice of 1"),
    ):
        value = function(truth, found)
        if value is None:
            return "the function returns nothing yet"
        if not math.isclose(value, wanted, abs_tol=1e-6):
            return f"{words}, and yours gives {value:.3f}"
    return ""
