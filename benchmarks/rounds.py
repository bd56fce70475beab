"""Measure by turns: what makes the machine slow then makes all slow, and their ratio stays."""

from collections.abc import Callable

import numpy as np


def alternate(contenders: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Call each contender once a round, every other round in reverse order; return its values.

    The first round only warms up and is not kept.
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
    """Return the median, and the 5th and 95th percentile."""
    low, middle, high = np.percentile(values, [5, 50, 95])
    return {"median": float(middle), "low": float(low), "high": float(high)}


def ratio(a: list[float], b: list[float]) -> dict[str, float]:
    """Return the spread of a over b, round by round."""
    return spread(np.divide(a, b))
