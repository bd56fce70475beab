"""Problems of the lab "From mask to measurement"."""

import math
import statistics
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes

HEART = np.array([list(".....hhhh....."), list("...hhhhh......")]) == "h"
LUNGS = np.array([list("LLLL.....LLLL."), list("LLL......LLLL.")]) == "L"
"""The chest that the exercise prints: a heart of 6 columns and lungs of 13."""


def cardiothoracic(function: Callable[[np.ndarray, np.ndarray], float | None]) -> str:
    """Ask for a function that divides the width of the heart by that of the lungs, and knows empty masks."""
    answer = function(HEART, LUNGS)
    if answer is None:
        return "the function returns nothing for two masks that are not empty"
    typical = {
        5 / 12: "from the first column to the last one, count both of them",
        13 / 6: "the heart comes first, and the ratio is the heart's width over the lungs' width",
        5 / 13: "no single row shows the whole width: look for the columns that have a pixel in any row",
        6 / 12: "count the columns between the lungs, too",
        6 / 8: "count the columns between the lungs, too",
        9 / 15: "that is the ratio of the areas",
        1.0: "that is the ratio of the heights: a column is the second index of the array",
    }
    for wrong, words in typical.items():
        if math.isclose(answer, wrong, abs_tol=1e-4):
            return words
    # A heart in two pieces and lungs at the edges of the picture: a count of filled columns is not a width.
    pieces, edges = np.zeros((6, 20), bool), np.zeros((6, 20), bool)
    pieces[1, 6] = pieces[4, 11:13] = edges[2, 0] = edges[3, 19] = True
    for heart, lungs in ((HEART, LUNGS), (pieces, edges), (LUNGS, HEART)):
        wanted = _width(heart) / _width(lungs)
        answer = function(heart, lungs)
        if answer is None or not math.isclose(answer, wanted, abs_tol=1e-6):
            return f"a heart of {_width(heart)} columns and lungs of {_width(lungs)} give {wanted:.3f}, not {answer}"
    for heart, lungs in ((HEART & False, LUNGS), (HEART, LUNGS & False)):
        try:
            answer = function(heart, lungs)
        except (IndexError, ValueError, ZeroDivisionError):
            return "the function has to return None where either mask is empty, and stops with an error"
        if answer is not None:
            return f"the function has to return None where either mask is empty, not {answer}"
    return ""


def hidden(mask: np.ndarray, heart: np.ndarray, lungs: np.ndarray) -> str:
    """Ask for a mask much like an enlarged heart whose ratio is normal."""
    mask = np.asarray(mask)
    if mask.shape != heart.shape or mask.dtype != bool:
        return f"a mask is an array of True and False of shape {heart.shape}"
    if not mask.any():
        return "the mask is empty"
    if np.shares_memory(mask, heart):
        return "that changes heart itself, with which the mask is compared: begin with mask = heart.copy()"
    overlap = 2 * np.logical_and(mask, heart).sum() / (mask.sum() + heart.sum())
    share = _width(mask) / _width(lungs)
    if overlap < 0.95:
        return f"the Dice is {overlap:.3f} only: take away less, and only what the ratio looks at"
    if share >= 0.5:
        return f"the Dice is {overlap:.3f}, but the ratio is still {share:.3f}: which columns does it look at?"
    return ""


def area(answer: float) -> str:
    """Ask for the area of 16,000 pixels on a grid of 256 after a film of 2048 with a spacing of 0.175 mm."""
    spacing, shrunk = 0.175, 2048 // 256
    typical = {
        16_000 * spacing**2: "that takes a pixel of the small picture to be as small as one of the file",
        16_000 * spacing * shrunk: "that is a spacing for one direction: a pixel has a width and a height",
        16_000 * spacing: "a pixel has a width and a height, and after shrinking each is larger than in the file",
        16_000 * spacing**2 * shrunk: "shrinking makes the pixels larger in both directions",
        16_000 * (spacing / shrunk) ** 2: "after shrinking, there are fewer pixels, and each covers more, not less",
    }
    if math.isclose(answer, 16_000 * 1.4 * 1.4, rel_tol=1e-3):
        return ""
    if math.isclose(answer, 313.6, rel_tol=1e-3):
        return "that is in square centimetres"
    for wrong, words in typical.items():
        if math.isclose(answer, wrong, rel_tol=1e-3):
            return words
    return "how many millimetres wide is a pixel of the small picture, and how many high?"


def limits_of_five(bias: float, lower: float, upper: float) -> str:
    """Ask for the bias and the limits of agreement of five differences."""
    return _limits([0.02, -0.01, 0.03, 0.00, 0.01], bias, lower, upper)


def bland_altman(axis: Axes, truth: np.ndarray, found: np.ndarray) -> str:
    """Ask for a Bland-Altman plot: a point for each pair, three lines, two labels."""
    if not isinstance(axis, Axes):
        return "answer with the axis that holds the plot, the second value that plt.subplots() returns"
    if not axis.collections:
        return "there are no points yet: draw them with axis.scatter"
    points = np.asarray(axis.collections[0].get_offsets())
    if len(points) != len(truth):
        return f"there are {len(truth)} films, and the plot has {len(points)} points"
    difference, mean = found - truth, (found + truth) / 2
    if np.allclose(points[:, 1], -difference) and not np.allclose(difference, 0):
        return "the differences are turned round: take found minus truth"
    if not np.allclose(points[:, 1], difference):
        return "upwards goes the difference of the two values of a film, found minus truth"
    if not np.allclose(points[:, 0], mean):
        return "across goes the mean of the two values of a film"
    lines = sorted({round(float(np.ravel(line.get_ydata())[0]), 9) for line in axis.lines})
    # A line at zero is a help to the eye, and no mistake.
    lines = [y for y in lines if y != 0] if len(lines) > 3 else lines
    if len(lines) != 3:
        return f"three lines are asked for, and the plot has {len(lines)}: the bias and the two limits"
    if said := _limits(list(map(float, difference)), lines[1], lines[0], lines[2]):
        return said
    return "" if axis.get_xlabel() and axis.get_ylabel() else "label both axes"


def grey_zone(above: float, below: float, truth: Sequence[float], found: Sequence[float]) -> str:
    """Ask between which ratios a method with these differences leaves the diagnosis open."""
    difference = [float(b) - float(a) for a, b in zip(truth, found, strict=True)]
    bias, spread = statistics.fmean(difference), 1.96 * statistics.stdev(difference)
    near = {"abs_tol": 1e-4}
    if math.isclose(above, 0.5 + bias + spread, **near) and math.isclose(below, 0.5 + bias - spread, **near):
        return ""
    if math.isclose(above, 0.5 - bias + spread, **near):
        return "the sign of the bias is turned round: a network that reads too little needs a lower limit"
    if math.isclose(above, 0.5 + spread, **near):
        return "that leaves out the bias"
    if math.isclose(above, 0.5 + bias, **near):
        return "that takes care of the bias, but two readings of one patient also differ by chance"
    if above < below:
        return "the two are exchanged: surely enlarged lies above surely normal"
    return "the truth is x minus a difference: which difference makes it smallest, and which makes it largest?"


def _width(mask: np.ndarray) -> int:
    columns = [int(column) for _, column in np.argwhere(mask)]
    return max(columns) - min(columns) + 1


def _limits(difference: list[float], bias: float, lower: float, upper: float) -> str:
    """Return what is wrong with a bias and limits of agreement."""
    centre, spread = statistics.fmean(difference), statistics.stdev(difference)
    near = {"abs_tol": max(spread / 100, 1e-9)}
    if not math.isclose(bias, centre, **near):
        return f"the bias is not {bias:.4f}: it is the mean of the differences, their signs kept"
    half = (upper - lower) / 2
    if half < 0:
        return "the lower limit lies above the upper one"
    for wrong, words in (
        (1.96 * statistics.pstdev(difference), "the squares are to be divided by n - 1 (in NumPy, std(ddof=1))"),
        (
            1.96 * spread / len(difference) ** 0.5,
            "that says how well the bias is known, not how far readings differ",
        ),
        (spread, "that is one standard deviation to each side, which holds about two thirds of the differences"),
    ):
        if math.isclose(half, wrong, **near):
            return words
    if math.isclose(lower, centre - 1.96 * spread, **near) and math.isclose(upper, centre + 1.96 * spread, **near):
        return ""
    return "the limits lie 1.96 standard deviations below and above the bias"
