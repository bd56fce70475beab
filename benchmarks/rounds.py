"""Time contenders by turns, so that other load on the machine slows all of them and leaves their ratio unchanged."""

import time
from collections.abc import Callable

import numpy as np


def seconds(function: Callable, *arguments) -> float:
    """Return how many seconds a call takes."""
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


def alternate(contenders: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Call each contender once per round, in reverse order every other round, and return its values.

    The first round is a warm-up and is discarded.
    """
    values = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name in list(contenders)[:: -1 if number % 2 else 1]:
            value = contenders[name]()
            if number:
                values[name].append(value)
        print(
            f"round {number} of {rounds}: " + ", ".join(f"{k} {v[-1]:.3g}" for k, v in values.items() if v), flush=True
        )
    return values


def spread(values) -> dict[str, float]:
    """Return the median and the 5th and 95th percentiles."""
    low, middle, high = np.percentile(values, [5, 50, 95])
    return {"median": float(middle), "low": float(low), "high": float(high)}


def ratio(a: list[float], b: list[float]) -> dict[str, float]:
    """Return the spread of the ratio a / b, computed round by round."""
    return spread(np.divide(a, b))
