"""Problems of the lab "Is it better?"."""

import itertools
import math
from collections.abc import Callable

import numpy as np


def bootstraps(function: Callable[[np.ndarray, np.random.Generator], tuple[float, float]]) -> str:
    """Ask for the 95% bootstrap interval of a mean."""
    rng = np.random.default_rng(4)
    widths = []
    for _ in range(6):
        values = rng.normal(0.9, 0.03, 50)
        found = function(values.copy(), rng)
        if found is None:
            return "the function returns nothing yet"
        low, high = (float(bound) for bound in found)
        if low >= high:
            return (
                f"the interval from {low:.4f} to {high:.4f} has no width: do you draw with replacement, as many as"
                " there are, and return the lower bound first?"
            )
        # The bootstrap of a mean has the spread of the values over the square root of their number, known exactly.
        spread = values.std() / math.sqrt(len(values))
        if abs((low + high) / 2 - values.mean()) > spread:
            return "the middle of the interval is far from the mean of the values"
        widths.append((high - low) / (2 * spread))
    half = float(np.mean(widths))
    if abs(half - 1.96) < 0.12:
        return ""
    if abs(half - 1.645) < 0.12:
        return "these are the middle 90%: the middle 95% leave 2.5% on each side"
    if half > 5:
        return "this is how far single values scatter: take the mean of each draw"
    return f"the interval is {half / 1.96:.2f} times as wide as it should be"


def sixteen_flips(p: float) -> str:
    """Ask for the p-value of four differences of one sign, by all flips of their signs."""
    observed = (2, 3, 1, 3)
    sums = [sum(s * d for s, d in zip(signs, observed, strict=True)) for signs in itertools.product((-1, 1), repeat=4)]
    right = sum(abs(total) >= sum(observed) for total in sums) / len(sums)
    if math.isclose(p, right, abs_tol=1e-4):
        return ""
    if math.isclose(p, right / 2, abs_tol=1e-4):
        return "a mean as far below 0 counts as well: either network might have been ahead"
    if p == 0:
        return "the signs as they were are one of the 16 ways"
    return "count the ways that give a mean as far from 0 as all plus, and divide by 16"


def flips_signs(function: Callable[[np.ndarray, np.random.Generator], float]) -> str:
    """Ask for the two-sided p-value of a mean difference by random flips of the signs."""
    rng = np.random.default_rng(6)
    signs = np.array(list(itertools.product((-1, 1), repeat=10)))
    for shift in (0.0, 0.25, -0.25, 0.45):
        difference = rng.normal(0, 0.5, 10) + shift
        means = (signs * difference).mean(axis=1)  # all of them, where the answer draws some
        right = np.mean(np.abs(means) >= abs(difference.mean()) - 1e-12)
        found = function(difference.copy(), rng)
        if found is None:
            return "the function returns nothing yet"
        if abs(found - right) <= 0.035:
            continue
        one_sided = np.mean(means >= difference.mean() - 1e-12)
        if abs(found - one_sided) <= 0.035:
            return "this counts one side only: a mean as far from 0 on the other side counts as well"
        if abs(found - (1 - right)) <= 0.035:
            return "this is the share that is nearer to 0: count those that are as far or farther"
        return (
            f"ten differences with a mean of {difference.mean():.2f} have a p of {right:.2f}, and yours is {found:.2f}"
        )
    return ""


def false_alarm(chance: float) -> str:
    """Ask how probable at least one false alarm at 0.05 is in 45 independent tests."""
    none = math.prod([0.95] * 45)
    if math.isclose(chance, 1 - none, abs_tol=5e-3):
        return ""
    if math.isclose(chance, none, abs_tol=5e-3):
        return "that is the chance of no alarm at all"
    if math.isclose(chance, 0.05 * 45, abs_tol=5e-3):
        return "that is how many alarms to expect; a chance is never above 1"
    if math.isclose(chance, 0.05, abs_tol=5e-3):
        return "that is the chance in a single test"
    return "first ask for the chance that none of the 45 gives an alarm"


def a_against_a(count: int, paired: np.ndarray) -> str:
    """Ask how many of 25 comparisons of networks 0 to 4 with 5 to 9 have a p-value below 0.05."""
    right = sum(paired[i][j] < 0.05 for i in range(5) for j in range(5, 10))
    if count == right:
        return ""
    if count == sum(paired[i][j] < 0.05 for i in range(10) for j in range(i)):
        return "these are all 45 pairs: count those of one network of A and one of B"
    if 0 < count < 1 and math.isclose(count, right / 25):
        return "that is a share; how many are they?"
    return "count the entries below 0.05 in rows 0 to 4 and columns 5 to 9"
