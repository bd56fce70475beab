"""Confidence intervals of a mean score, and tests of the difference between two runs.

Intervals are bias-corrected and accelerated (BCa) bootstrap intervals of the mean. The mean is used because failures
must count in a segmentation study, and because the bootstrap of a median jumps between data points. Every function
assumes independent cases. If a patient contributes several cases, the intervals are too narrow. All results are plain
numbers that can be written as JSON.

References
----------
Efron, Better bootstrap confidence intervals, J Am Stat Assoc 82:171-185, 1987 (BCa). Good, Permutation,
Parametric and Bootstrap Tests of Hypotheses, 3rd ed., 2005 (sign flips of paired differences). Wilcoxon,
Individual comparisons by ranking methods, Biometrics Bulletin 1:80-83, 1945.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

Scores = Sequence[float] | np.ndarray

# A smaller spread is rounding error around a constant, for which BCa would give NaN.
SAME = 1e-12
# Number of random numbers drawn at a time, to bound memory: 4 million float64 take 32 MB.
AT_ONCE = 4_000_000


def interval(values: Scores, confidence: float = 0.95, resamples: int = 5000, seed: int = 2023) -> tuple[float, float]:
    """Return the BCa bootstrap confidence interval of a mean.

    Parameters
    ----------
    values : sequence of n float
        One score per case, n at least 1.
    confidence : float
        Nominal coverage, between 0 and 1.
    resamples : int
        Number of bootstrap resamples.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    low, high : float
        Both equal the mean if there is only one value or all values are equal.

    Raises
    ------
    ValueError
        There are no values, or one is not a finite number.
    """
    return _bca([_finite("values", values)], confidence, resamples, seed)


def describe(values: Scores, confidence: float = 0.95, resamples: int = 5000, seed: int = 2023) -> dict:
    """Summarise the scores of many cases in the format of ``summary.json``.

    Parameters
    ----------
    values, confidence, resamples, seed
        As for `interval`.

    Returns
    -------
    dict
        ``n``, ``mean``, ``ci95`` ([low, high], see `interval`), ``confidence``, ``p5`` and its interval
        ``p5_ci95`` (see `percentile_interval`), ``median``, ``p95``, ``min``, ``max``, and ``below_090``, the
        share of cases below 0.90. The keys ``ci95`` and ``p5_ci95`` keep their names for any ``confidence``.

    Raises
    ------
    ValueError
        There are no values, or one is not a finite number.
    """
    scores = _finite("values", values)
    p5, median, p95 = np.percentile(scores, [5, 50, 95])
    return {
        "n": len(scores),
        "mean": float(scores.mean()),
        "ci95": list(interval(scores, confidence, resamples, seed)),
        "confidence": float(confidence),
        "p5": float(p5),
        "p5_ci95": percentile_interval(scores, 0.05, confidence),
        "median": float(median),
        "p95": float(p95),
        "min": float(scores.min()),
        "max": float(scores.max()),
        "below_090": float(np.mean(scores < 0.90)),
    }


def percentile_interval(values: Scores, share: float, confidence: float = 0.95) -> list[float | None]:
    """Return the distribution-free confidence interval of a percentile, from order statistics.

    Parameters
    ----------
    values : sequence of n float
    share : float
        The percentile as a share, 0 to 1: 0.05 for the 5th percentile.
    confidence : float
        Minimum coverage, between 0 and 1.

    Returns
    -------
    [low, high]
        Two of the values. A bound is None if there are too few values to determine it: with fewer than 72, the 5th
        percentile has no lower bound at 95%.

    References
    ----------
    Conover, Practical Nonparametric Statistics, 3rd ed., 1999, section 3.2.
    """
    with np.errstate(invalid="ignore"):
        bounds = stats.quantile_test(np.asarray(values, float), p=share).confidence_interval(confidence)
    return [float(bound) if np.isfinite(bound) else None for bound in bounds]


def macro(groups: Sequence[Scores], confidence: float = 0.95, resamples: int = 5000, seed: int = 2023) -> dict:
    """Return the macro average: the mean of the groups' means, with equal weight for each group.

    Parameters
    ----------
    groups : sequence of sequences of float
        The scores of each diagnostic class. The bootstrap resamples each class separately.
    confidence, resamples, seed
        As for `interval`.

    Returns
    -------
    dict
        ``mean``, ``ci95`` ([low, high]) and ``confidence``, as `describe` names them.

    Raises
    ------
    ValueError
        There are no groups, a group is empty, or a value is not a finite number.
    """
    if len(groups) == 0:
        raise ValueError("groups must hold at least one group of values, got none")
    scores = [_finite(f"group {number}", group) for number, group in enumerate(groups)]
    return {
        "mean": float(np.mean([group.mean() for group in scores])),
        "ci95": list(_bca(scores, confidence, resamples, seed)),
        "confidence": float(confidence),
    }


def paired(a: Scores, b: Scores, confidence: float = 0.95, resamples: int = 5000, seed: int = 2023) -> dict:
    """Compare two runs on the same cases by their paired differences.

    Parameters
    ----------
    a, b : sequence of n float
        The scores of the two runs, with the cases in the same order.
    confidence, resamples, seed
        As for `interval`. `resamples` also limits the number of sign flips; all 2^n are enumerated if they are fewer.

    Returns
    -------
    dict
        ``n``. ``mean_difference`` of a - b, its ``ci95`` and ``confidence`` (see `describe`). ``p_permutation``:
        two-sided p-value of the sign-flip permutation test. ``p_wilcoxon``: two-sided p-value of the Wilcoxon
        signed-rank test without zero differences. Both p-values are 1 if no case differs.

    Raises
    ------
    ValueError
        The numbers of cases differ or are zero, or a value is not a finite number.
    """
    first, second = _finite("a", a), _finite("b", b)
    if len(first) != len(second):
        raise ValueError(f"a paired comparison needs the same cases in both runs, got {len(a)} and {len(b)}")
    difference = first - second
    # Differences of 1e-17 are rounding errors but would be ranked like real differences.
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


def unpaired(a: Scores, b: Scores, confidence: float = 0.95, resamples: int = 5000, seed: int = 2023) -> dict:
    """Compare two runs on different cases. The difference includes that between the cases.

    Parameters
    ----------
    a, b : sequence of float
        The scores of the two runs. The bootstrap resamples each run separately.
    confidence, resamples, seed
        As for `interval`.

    Returns
    -------
    dict
        ``mean_difference`` of a - b, its ``ci95`` and ``confidence`` (see `describe`).

    Raises
    ------
    ValueError
        A run has no values, or a value is not a finite number.
    """
    first, second = _finite("a", a), _finite("b", b)
    # The mean of the two groups a and -b is half the difference.
    low, high = _bca([first, -second], confidence, resamples, seed)
    return {
        "mean_difference": float(first.mean() - second.mean()),
        "ci95": [2 * low, 2 * high],
        "confidence": float(confidence),
    }


def _finite(name: str, values: Scores) -> np.ndarray:
    array = np.array(values, dtype=float)
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all():
        bad = int(np.count_nonzero(~np.isfinite(array)))
        raise ValueError(f"{name} must be a list of finite numbers, got shape {array.shape} with {bad} not finite")
    return array


def _bca(groups: list[np.ndarray], confidence: float, resamples: int, seed: int) -> tuple[float, float]:
    """Return the BCa interval of the mean of the groups' means."""
    # SciPy rejects a sample of one value and gives NaN for equal values, so such a group is treated as a constant.
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
    # SciPy computes the acceleration by a jackknife, whose cost grows with the square of the number of cases. For a
    # mean, the influence of a case is simply its deviation from the mean.
    influence = [(group - group.mean()) / len(groups) for group in varying]
    second, third = (sum((part**power).sum() / len(part) ** power for part in influence) for power in (2, 3))
    acceleration = third / (6 * second**1.5)
    mean = mean_of_means(*varying, axis=-1)
    bias = stats.norm.ppf(((means < mean).mean() + (means <= mean).mean()) / 2)
    z = bias + stats.norm.ppf([(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = np.quantile(means, stats.norm.cdf(bias + z / (1 - acceleration * z)))
    return float(low), float(high)
