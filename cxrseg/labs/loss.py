"""Problems of the lab "What the loss wants"."""

import math
from collections.abc import Callable

import numpy as np


def best_constants(for_entropy: float, for_dice: float) -> str:
    """Ask which constant is best for either loss, where a structure fills a fifth of the picture."""
    share, p = 0.2, np.arange(1, 1001) / 1000
    entropy = -share * np.log(p) - (1 - share) * np.log(np.maximum(1 - p, 1e-12))
    if not math.isclose(for_entropy, p[entropy.argmin()], abs_tol=0.005):
        if math.isclose(for_entropy, 0.05, abs_tol=0.005):
            return "0.05 is right for the structure of the figure; this one is larger"
        return "for cross-entropy, a constant is best where it says how much of the picture is structure"
    if not math.isclose(for_dice, p[(2 * share * p / (share + p)).argmax()], abs_tol=0.01):
        return "the Dice loss falls with p as far as p can go; how far is that?"
    return ""


def slopes_of_entropy(in_disc: float, elsewhere: float) -> str:
    """Ask for the slopes of a pixel's cross-entropy against its logit where the network says 0.1."""
    z = math.log(0.1 / 0.9)
    for answer, truth, where in ((in_disc, 1, "in the disc"), (elsewhere, 0, "elsewhere")):
        right = _slope(lambda z, y=truth: math.log1p(math.exp(z)) - y * z, z)
        if math.isclose(answer, right, abs_tol=1e-3):
            continue
        if math.isclose(answer, -right, abs_tol=1e-3):
            return f"{where}, the sign is wrong: the step goes against the slope"
        if truth and math.isclose(abs(answer), 10, abs_tol=0.01):
            return "that is the slope against p; against z it is p - y"
        return f"{where}, put p = 0.1 and the right y into p - y"
    return ""


def slopes_of_dice(in_disc: float, elsewhere: float) -> str:
    """Ask for the slopes of the Dice loss of 10 pixels, where all p sum to 20 and those of the disc to 6."""
    for answer, inside, where in ((in_disc, 1, "in the disc"), (elsewhere, 0, "elsewhere")):
        right = _slope(lambda p, y=inside: 1 - 2 * (6 + y * p) / (10 + 20 + p), 0)
        if math.isclose(answer, right, abs_tol=1e-3):
            continue
        if math.isclose(answer, -right, abs_tol=1e-3):
            return f"{where}, the sign is wrong: the loss is one minus Dice"
        if math.isclose(abs(answer), 2 / 30 if inside else 0, abs_tol=1e-3):
            return f"{where}, the pixel's p is part of T as well, so that the denominator changes, too"
        if math.isclose(2 * answer, right, abs_tol=1e-3):
            return f"{where}, a factor of 2 is missing"
        return f"{where}, take the derivative of 1 - 2C / T, with C = 6 and T = 20 + 10, by the quotient rule"
    return ""


def bears_nothing(function: Callable[[np.ndarray, np.ndarray], float]) -> str:
    """Ask for a soft Dice loss with 1 added above and below."""
    nothing, disc = np.zeros((4, 4)), np.pad(np.ones((2, 2)), 1)
    for truth, p, words in (
        (disc, disc, "where the probabilities are the truth"),
        (nothing, nothing, "where nothing is and nothing is marked"),
        (nothing, disc / 2, "where nothing is and four pixels have a half"),
        (disc, nothing, "where a disc of four pixels is missed"),
        (disc, np.full((4, 4), 0.25), "where 16 pixels have a quarter, and four of them are disc"),
    ):
        value = function(truth, p)
        if value is None:
            return "the function returns nothing yet"
        common = sum(t * q for t, q in zip(truth.flat, p.flat, strict=True))
        dice = (2 * common + 1) / (truth.sum() + p.sum() + 1)
        if not math.isnan(value) and math.isclose(value, 1 - dice, abs_tol=1e-6):
            continue
        if math.isclose(value, dice, abs_tol=1e-6):
            return "that is Dice; the loss is one minus it"
        return f"{words}, the loss is {1 - dice:.3f}, and yours is {value:.3f}"
    return ""


def best_threshold(threshold: float, p: np.ndarray, truth: np.ndarray) -> str:
    """Ask for a threshold whose mean Dice comes within 0.02 of the best."""
    if not 0 < threshold < 1:
        return "a threshold lies between 0 and 1"
    reached = _mean_dice(truth, p > threshold)
    tried = {q: _mean_dice(truth, p > q) for q in np.linspace(0.01, 0.99, 99)}
    best = max(tried, key=tried.get)
    if reached >= tried[best] - 0.02:
        return ""
    return f"at {threshold:.2f} the mean Dice is {reached:.2f}; {'lower' if threshold > best else 'higher'} is better"


def _mean_dice(truth: np.ndarray, marked: np.ndarray) -> float:
    pairs = zip(truth, marked, strict=True)
    return float(np.mean([2 * (a & b).sum() / max(a.sum() + b.sum(), 1) for a, b in pairs]))


def _slope(function: Callable[[float], float], at: float, step: float = 1e-4) -> float:
    return (function(at + step) - function(at - step)) / (2 * step)
