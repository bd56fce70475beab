"""Problems of the lab "Believe the probabilities?"."""

import math
from collections.abc import Callable

import numpy as np
from scipy import optimize, stats


def by_hand(answer: float) -> str:
    """Ask for the expected calibration error of two bins of 80 and 20 pixels."""
    if math.isclose(answer, 0.06, abs_tol=1e-4):
        return ""
    typical = {
        0.075: "weight each bin by its share of the pixels",
        0.02: "take the absolute difference in each bin, or one error pays for the other",
        0.10: "that is the largest error of the two bins; the mean is asked for, weighted by pixels",
        0.15: "average over the bins, weighted by pixels, and do not add up",
        6: "divide by the number of all pixels",
    }
    for wrong, words in typical.items():
        if math.isclose(answer, wrong, abs_tol=1e-4):
            return words
    return "in the first bin the network says 0.95 and the share is 72 / 80: how far apart are they, and in the second?"


def ece(function: Callable[[np.ndarray, np.ndarray], float]) -> str:
    """Ask for a function that computes the expected calibration error in ten bins."""
    rng = np.random.default_rng(7)
    spread = rng.uniform(0, 1, 400)
    cases = {
        "for 80 pixels at 0.95 and 20 at 0.3": (
            np.repeat([0.95, 0.3], [80, 20]),
            np.r_[np.arange(80) < 72, np.arange(20) < 8],
        ),
        "for pixels of every probability": (spread, rng.uniform(0, 1, 400) < spread**2),
        "where probabilities are exactly 0 and 1": (
            np.array([0.0, 1.0, 1.0, 0.92]),
            np.array([False, True, False, True]),
        ),
        "where two bins have opposite errors": (np.array([0.15, 0.85]), np.array([True, False])),
    }
    for words, (probability, truth) in cases.items():
        wanted = _ece(probability, truth)
        try:
            answer = function(probability, truth)
        except IndexError:
            return "a probability of exactly 1 belongs to the last bin, and yours has no place for it"
        if answer is None:
            return "the function returns nothing yet"
        if math.isnan(answer):
            return "a bin without a pixel has no mean: leave it out"
        if not math.isclose(answer, wanted, abs_tol=1e-6):
            return f"{words}, the error is {wanted:.4f}, not {answer:.4f}"
    return ""


def near_outline(function: Callable[[np.ndarray, int], np.ndarray]) -> str:
    """Ask for a function that marks the pixels near the outline of a mask, on both sides."""
    mask = np.zeros((15, 15), bool)
    mask[4:11, 4:11] = True
    # Steps go along rows and columns. The square's pixels have the middle (7, 7) and reach 3 from it.
    away = abs(np.indices(mask.shape) - 7)
    for width in (1, 2):
        answer = function(mask, width)
        if answer is None:
            return "the function returns nothing yet"
        answer = np.asarray(answer)
        if answer.shape != mask.shape or answer.dtype != bool:
            return "the function has to return a mask, an array of True and False of the same shape"
        inside = mask & (away.max(0) > 3 - width)
        outside = ~mask & (np.maximum(away - 3, 0).sum(0) <= width)
        if (answer == outside).all():
            return "that is the outer side only: pixels inside the mask are near its outline, too"
        if (answer == inside).all():
            return "that is the inner side only: pixels outside the mask are near its outline, too"
        if (answer == ~(inside | outside)).all():
            return "those are the pixels that are not near the outline"
        if answer[7, 7]:
            return f"the middle of a square of 7 pixels is farther than {width} from its outline"
        if (answer != (inside | outside)).any():
            return (
                f"with a width of {width}, a square of 7 pixels has {(inside | outside).sum()} pixels near its outline"
            )
    return ""


def temperature(answer: float, z_val: np.ndarray, y_val: np.ndarray, z_test: np.ndarray, y_test: np.ndarray) -> str:
    """Ask for the temperature of the smallest cross-entropy on the validation films."""
    if answer <= 0:
        return "a temperature is above 0: at 0 the scores would be infinite, and below it lung would be background"
    wanted, of_test = _temperature(z_val, y_val), _temperature(z_test, y_test)
    near = {"abs_tol": 0.06}
    if math.isclose(answer, wanted, **near):
        return ""
    if math.isclose(answer, of_test, **near):
        return "that is the best one on the test films, and then they cannot judge it any more"
    if math.isclose(answer, 1 / wanted, rel_tol=0.1):
        return "divide the scores by T, do not multiply them with it"
    if math.isclose(answer, 1, **near):
        return "a T of 1 changes nothing"
    return f"a T {'larger' if answer < wanted else 'smaller'} than {answer:.2f} has a smaller cross-entropy"


def honest(function: Callable[[np.ndarray, np.ndarray], float]) -> str:
    """Ask for the score on test films at the threshold that the validation films choose."""
    validation = np.array([[0.4, 0.7, 0.6], [0.5, 0.8, 0.6], [0.3, 0.6, 0.8]])
    test = np.array([[0.9, 0.7, 0.7], [0.4, 0.5, 0.9]])
    # By column, validation has the means 0.4, 0.7 and 0.667, and test has 0.65, 0.6 and 0.8.
    answer = function(validation, test)
    if answer is None:
        return "the function returns nothing yet"
    if np.ndim(answer):
        return "one number is asked for, the mean over the test films"
    typical = {
        0.8: "that is the best mean of the test films, by a threshold that they have chosen themselves",
        0.7: "that is the mean of the validation films: they choose, and the test films judge",
        0.9: "that lets each film choose a threshold of its own, by the outline that is to be found",
        2 / 3: "validation chooses one threshold by its mean, not one for each film",
        4.1 / 6: "that is the mean over all thresholds: take the best on validation",
    }
    for wrong, words in typical.items():
        if math.isclose(answer, wrong, abs_tol=1e-4):
            return words
    turned = function(np.roll(validation, 1, axis=1), np.roll(test, 1, axis=1))
    if math.isclose(answer, 0.6, abs_tol=1e-6) and math.isclose(turned, 0.6, abs_tol=1e-6):
        return ""
    return "find the column with the best mean on validation, and take the mean of that column on test"


def doubt(answer: np.ndarray, probability: np.ndarray, truth: np.ndarray) -> str:
    """Ask for a number for each film that is large where the Dice is low."""
    answer = np.asarray(answer, float)
    if answer.shape != (len(truth),):
        return f"one number for each of the {len(truth)} films is asked for, and the shape is {answer.shape}"
    if not np.isfinite(answer).all():
        return "some of the numbers are not finite"
    if np.ptp(answer) == 0:
        return "all films have the same doubt"
    mask = probability > 0.5
    dice = 2 * (mask & truth).sum((1, 2)) / (mask.sum((1, 2)) + truth.sum((1, 2)))
    if np.allclose(abs(stats.spearmanr(answer, dice).statistic), 1):
        return "that is as good as knowing the truth: use the probabilities alone"
    agreement = -stats.spearmanr(answer, dice).statistic
    if agreement < -0.3:
        return f"it is turned round: films of low Dice have little doubt (rank correlation {agreement:.2f})"
    if agreement < 0.3:
        return f"doubt and lack of Dice have a rank correlation of {agreement:.2f} only, and 0.3 is asked for"
    return ""


def _ece(probability: np.ndarray, truth: np.ndarray) -> float:
    """Return the expected calibration error, pixel by pixel."""
    said, was = [0.0] * 10, [0.0] * 10
    for p, lung in zip(probability, truth, strict=True):
        place = min(math.floor(p * 10), 9)
        said[place] += p
        was[place] += lung
    return sum(abs(a - b) for a, b in zip(said, was, strict=True)) / len(probability)


def _temperature(z: np.ndarray, truth: np.ndarray) -> float:
    """Return the temperature at which the cross-entropy has no slope."""
    z, truth = np.ravel(z), np.ravel(truth)
    # The derivative with respect to 1 / T of log(1 + exp(z / T)) - truth * z / T is z * (sigmoid(z / T) - truth).
    slope = lambda t: float(np.mean(z * ((1 + np.tanh(z / t / 2)) / 2 - truth)))  # noqa: E731
    return float(optimize.brentq(slope, 0.01, 1000))
