"""How sure we are: intervals for a mean score, and tests of the difference between two runs.

Intervals are bias-corrected and accelerated (BCa) bootstraps of the mean. The mean, not the median: a
segmentation study is judged by its failures too, and the bootstrap of a median jumps between data points.
Every function takes the cases as independent draws; where one patient gives several, the intervals are
too narrow. All results are plain numbers, ready for JSON.

References
----------
Efron, Better bootstrap confidence intervals, J Am Stat Assoc 82:171-185, 1987 (BCa). Good, Permutation,
Parametric and Bootstrap Tests of Hypotheses, 3rd ed., 2005 (sign flips of paired differences). Wilcoxon,
Individual comparisons by ranking methods, Biometrics Bulletin 1:80-83, 1945.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

# Below this spread the values are one value and its rounding errors, of which BCa would make a NaN.
SAME = 1e-12
# Numbers drawn at a time, whatever the number of cases: 4 million float64 are 32 MB.
AT_ONCE = 4_000_000


def interval(
    values: Sequence[float], confidence: float = 0.95, resamples: int = 5000, seed: int = 2023
) -> tuple[float, float]:
    """Return the BCa bootstrap interval of a mean.

    Parameters
    ----------
    values : sequence of n float
        One score per case, n at least 1.
    confidence : float
        Nominal coverage, between 0 and 1.
    resamples : int
        Bootstrap resamples.
    seed : int
        Same seed, same interval.

    Returns
    -------
    low, high : float
        Both the mean itself where there is one value, or all are equal: nothing to resample.

    Raises
    ------
    ValueError
        No values, or one that is not a finite number.
    """
    return _bca([_finite("values", values)], confidence, resamples, seed)


def summarise(
    values: Sequence[float], confidence: float = 0.95, resamples: int = 5000, seed: int = 2023
) -> dict[str, float | int | list[float]]:
    """Describe one score of many cases, in the form that ``summary.json`` holds.

    Parameters
    ----------
    values, confidence, resamples, seed
        As for `interval`.

    Returns
    -------
    dict
        ``n``, ``mean``, ``ci95`` ([low, high], see `interval`; the key keeps its name at another
        ``confidence``, which stands beside it), ``confidence``, ``p5``, ``median``, ``p95``, ``min``,
        ``max``, and ``below_090``, the share of cases below 0.90.

    Raises
    ------
    ValueError
        No values, or one that is not a finite number.
    """
    values = _finite("values", values)
    p5, median, p95 = np.percentile(values, [5, 50, 95])
    return {
        "n": len(values),
        "mean": float(values.mean()),
        "ci95": list(interval(values, confidence, resamples, seed)),
        "confidence": float(confidence),
        "p5": float(p5),
        "median": float(median),
        "p95": float(p95),
        "min": float(values.min()),
        "max": float(values.max()),
        "below_090": float(np.mean(values < 0.90)),
    }


def macro(
    groups: Sequence[Sequence[float]], confidence: float = 0.95, resamples: int = 5000, seed: int = 2023
) -> dict[str, float | list[float]]:
    """Return the macro average: the mean of the groups' means, each group counting the same.

    Parameters
    ----------
    groups : sequence of sequences of float
        The scores of each diagnostic class; each class is resampled within itself.
    confidence, resamples, seed
        As for `interval`.

    Returns
    -------
    dict
        ``mean``, ``ci95`` ([low, high]) and ``confidence``, as `summarise` names them.

    Raises
    ------
    ValueError
        No groups, an empty one, or a value that is not a finite number.
    """
    if len(groups) == 0:
        raise ValueError("groups must hold at least one group of values, got none")
    groups = [_finite(f"group {number}", group) for number, group in enumerate(groups)]
    return {
        "mean": float(np.mean([group.mean() for group in groups])),
        "ci95": list(_bca(groups, confidence, resamples, seed)),
        "confidence": float(confidence),
    }


def paired(
    a: Sequence[float], b: Sequence[float], confidence: float = 0.95, resamples: int = 5000, seed: int = 2023
) -> dict[str, float | int | list[float]]:
    """Compare two runs on the same cases.

    Parameters
    ----------
    a, b : sequence of n float
        The scores of the two runs, in one order of the cases.
    confidence, resamples, seed
        As for `interval`; `resamples` also bounds the sign flips, which are enumerated where 2^n is fewer.

    Returns
    -------
    dict
        ``n``; ``mean_difference`` of a - b; its ``ci95`` and ``confidence`` (see `summarise`);
        ``p_permutation``, two-sided, from flipping the signs of the differences; ``p_wilcoxon``, two-sided,
        of the signed ranks, zero differences left out. Both are 1 where no case differs.

    Raises
    ------
    ValueError
        The runs have not the same number of cases, none, or a value that is not a finite number.
    """
    a, b = _finite("a", a), _finite("b", b)
    if len(a) != len(b):
        raise ValueError(f"a paired comparison needs the same cases in both runs, got {len(a)} and {len(b)}")
    difference = a - b
    # Differences of 1e-17 are rounding, and would be ranked as if they were real.
    difference[np.abs(difference) < SAME] = 0
    p_permutation = p_wilcoxon = 1.0
    if difference.any():
        p_permutation = stats.permutation_test(
            (difference,),
            np.mean,
            permutation_type="samples",
            vectorized=True,
            n_resamples=resamples,
            batch=max(1, AT_ONCE // len(difference)),
            rng=np.random.default_rng(seed),
        ).pvalue
        p_wilcoxon = stats.wilcoxon(difference[difference != 0]).pvalue
    return {
        "n": len(difference),
        "mean_difference": float(difference.mean()),
        "ci95": list(interval(difference, confidence, resamples, seed)),
        "confidence": float(confidence),
        "p_permutation": float(p_permutation),
        "p_wilcoxon": float(p_wilcoxon),
    }


def unpaired(
    a: Sequence[float], b: Sequence[float], confidence: float = 0.95, resamples: int = 5000, seed: int = 2023
) -> dict[str, float | list[float]]:
    """Compare two runs on different cases: their means differ for the cases' sake, too.

    Parameters
    ----------
    a, b : sequence of float
        The scores of the two runs; each is resampled within itself.
    confidence, resamples, seed
        As for `interval`.

    Returns
    -------
    dict
        ``mean_difference`` of a - b, its ``ci95`` and ``confidence`` (see `summarise`).

    Raises
    ------
    ValueError
        A run without values, or one that is not a finite number.
    """
    a, b = _finite("a", a), _finite("b", b)
    # The mean of the two groups a and -b is half the difference.
    low, high = _bca([a, -b], confidence, resamples, seed)
    return {
        "mean_difference": float(a.mean() - b.mean()),
        "ci95": [2 * low, 2 * high],
        "confidence": float(confidence),
    }


def _finite(name: str, values: Sequence[float]) -> np.ndarray:
    array = np.array(values, dtype=float)
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all():
        bad = int(np.count_nonzero(~np.isfinite(array)))
        raise ValueError(f"{name} must be a list of finite numbers, got shape {array.shape} with {bad} not finite")
    return array


def _bca(groups: list[np.ndarray], confidence: float, resamples: int, seed: int) -> tuple[float, float]:
    """Return the BCa interval of the mean of the groups' means."""
    # SciPy refuses a sample of one and gives NaN where nothing varies: such a group is a constant.
    varying = [group for group in groups if np.ptp(group) > SAME]
    constant = sum(group.mean() for group in groups if np.ptp(group) <= SAME)
    if not varying:
        return (float(constant / len(groups)),) * 2

    def mean_of_means(*samples: np.ndarray, axis: int) -> np.ndarray:
        return (constant + sum(sample.mean(axis=axis) for sample in samples)) / len(groups)

    means = stats.bootstrap(
        varying,
        mean_of_means,
        vectorized=True,
        n_resamples=resamples,
        method="percentile",
        batch=max(1, AT_ONCE // max(map(len, varying))),
        rng=np.random.default_rng(seed),
    ).bootstrap_distribution
    # SciPy would leave out one case after another for the acceleration, at a cost that grows with the square of
    # their number; of a mean, a case's influence is its distance from it.
    influence = [(group - group.mean()) / len(groups) for group in varying]
    second, third = (sum((part**power).sum() / len(part) ** power for part in influence) for power in (2, 3))
    acceleration = third / (6 * second**1.5)
    mean = mean_of_means(*varying, axis=-1)
    bias = stats.norm.ppf(((means < mean).mean() + (means <= mean).mean()) / 2)
    z = bias + stats.norm.ppf([(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = np.quantile(means, stats.norm.cdf(bias + z / (1 - acceleration * z)))
    return float(low), float(high)
