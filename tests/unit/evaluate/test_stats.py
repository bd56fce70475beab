"""Intervals and tests against known answers: the t interval, full enumeration, properties."""

import json
import time
import tracemalloc

import numpy as np
import pytest
from scipy.stats import bootstrap, norm, t

from cxrseg.evaluate import stats


def dice(n, seed=0):
    """Scores skewed like those of a good segmenter."""
    return 1 - np.random.default_rng(seed).beta(2, 30, n)


def test_interval_of_a_normal_sample_is_the_t_interval():
    values = np.random.default_rng(3).normal(10, 2, 400)
    expected = t.interval(0.95, 399, values.mean(), values.std(ddof=1) / 20)
    assert stats.interval(values) == pytest.approx(expected, abs=0.02)


def test_interval_follows_the_skew_as_efrons_formula_does():
    values = dice(60)
    rng = np.random.default_rng(99)
    means = np.sort(rng.choice(values, (20_000, 60)).mean(axis=1))
    bias = norm.ppf(np.mean(means < values.mean()))
    lean = values.mean() - values  # influence of each case on the mean, up to a factor
    acceleration = -(lean**3).sum() / (6 * (lean**2).sum() ** 1.5)
    z = bias + norm.ppf([0.025, 0.975])
    expected = np.quantile(means, norm.cdf(bias + z / (1 - acceleration * z)))
    assert stats.interval(values) == pytest.approx(expected, abs=5e-4)
    low, high = stats.interval(values)
    assert values.mean() - low > high - values.mean()  # the tail of bad cases is on the left


@pytest.mark.parametrize("sizes", [[60], [2], [30, 50, 7]])
def test_interval_is_scipys(sizes):
    """SciPy leaves out one case after another; ours must give the same from the closed form."""
    groups = [dice(n, seed) for seed, n in enumerate(sizes)]

    def mean(*samples, axis):
        return sum(sample.mean(axis=axis) for sample in samples) / len(samples)

    rng = np.random.default_rng(2023)
    expected = bootstrap(groups, mean, n_resamples=5000, method="BCa", vectorized=True, rng=rng).confidence_interval
    assert stats.macro(groups)["ci95"] == pytest.approx(list(expected), abs=1e-12)


def test_interval_of_many_cases_takes_time_in_proportion():
    def seconds(n):
        values = dice(n)
        began = time.process_time()
        stats.interval(values, resamples=100)
        return time.process_time() - began

    # Sixteen times as many; leaving out one case after another would take 256 times as long.
    assert min(seconds(32_000) for _ in range(3)) < 64 * min(seconds(2000) for _ in range(3))


def test_interval_moves_and_scales_with_the_values():
    values = dice(58)
    assert stats.interval(3 * values + 7) == pytest.approx([3 * v + 7 for v in stats.interval(values)])


def test_interval_is_repeatable_and_wider_when_surer():
    values = dice(58)
    low, high = stats.interval(values)
    assert stats.interval(values) == (low, high) != stats.interval(values, seed=1)
    wide_low, wide_high = stats.interval(values, confidence=0.99)
    assert wide_low < low < values.mean() < high < wide_high


@pytest.mark.parametrize("values", [[0.9], [0.9] * 7, [1.0] * 9 + [1 - 1e-15]])
def test_interval_of_one_value_is_that_value(values):
    assert stats.interval(values) == pytest.approx((values[0],) * 2)


@pytest.mark.parametrize("values", [[0.9, 0.91], [1.0] * 57 + [0.0], [0.1, 0.2, 0.3]])
def test_interval_of_awkward_values_is_finite_and_inside_the_range(values):
    low, high = stats.interval(values)
    assert min(values) <= low <= np.mean(values) <= high <= max(values)


def test_interval_of_many_cases_stays_small_in_memory():
    values = dice(20_000)
    tracemalloc.start()
    low, high = stats.interval(values, resamples=500)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400e6
    assert (low + high) / 2 == pytest.approx(values.mean(), abs=1e-4)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20_000**0.5, rel=0.1)


def test_summary_by_hand():
    values = [0.5, 0.8, 0.89, 0.9, 0.91, 1.0]
    summary = stats.describe(values)
    assert json.loads(json.dumps(summary)) == summary
    assert summary["n"] == 6 and summary["below_090"] == 0.5
    assert summary["mean"] == pytest.approx(5 / 6)
    assert summary["median"] == pytest.approx(0.895)
    assert summary["p5"] == pytest.approx(0.575) and summary["p95"] == pytest.approx(0.9775)
    assert (summary["min"], summary["max"], summary["confidence"]) == (0.5, 1.0, 0.95)
    assert summary["ci95"] == list(stats.interval(values))


def test_macro_gives_each_class_the_same_weight():
    common, rare = dice(200), dice(20, seed=1) - 0.2
    result = stats.macro([common, rare])
    assert result["mean"] == pytest.approx((common.mean() + rare.mean()) / 2)
    # the variances of the two independent means add
    error = np.hypot(common.std(ddof=1) / 200**0.5, rare.std(ddof=1) / 20**0.5) / 2
    low, high = result["ci95"]
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert stats.macro([common])["ci95"] == list(stats.interval(common))


def test_macro_with_a_class_of_one_case():
    common = dice(50)
    low, high = stats.interval(common)
    result = stats.macro([common, [0.6]])
    assert result["ci95"] == pytest.approx([(low + 0.6) / 2, (high + 0.6) / 2])
    assert stats.macro([[0.5], [0.7, 0.7]])["ci95"] == pytest.approx([0.6, 0.6])


@pytest.mark.parametrize(
    ("difference", "p"),
    [
        ([1, 2, 3], 2 / 8),  # of 8 sign flips, only +++ has a mean as large: one side 1/8
        ([1, 2, -1], 6 / 8),  # sums 4, 2, 2, 0, 0, -2, -2, -4: three reach 2
        ([3, 3, 3, 3], 2 / 16),
    ],
)
def test_permutation_by_full_enumeration(difference, p):
    result = stats.paired(np.array(difference) + 0.5, np.full(len(difference), 0.5))
    assert result["p_permutation"] == pytest.approx(p)
    assert result["mean_difference"] == pytest.approx(np.mean(difference))


def test_wilcoxon_by_hand():
    # ranks 1 2 3 4 5 all positive: the rank sum 15 comes from one of 32 sign patterns, on either side
    assert stats.paired([1, 2, 3, 4, 5], np.zeros(5))["p_wilcoxon"] == pytest.approx(2 / 32)
    # a zero difference carries no sign
    assert stats.paired([0, 1, 2, 3, 4, 5], np.zeros(6))["p_wilcoxon"] == pytest.approx(2 / 32)


def test_paired_finds_a_small_steady_gain_that_the_intervals_of_each_run_hide():
    a = dice(80)
    b = a - np.random.default_rng(5).normal(0.003, 0.004, 80)
    result = stats.paired(a, b)
    assert json.loads(json.dumps(result)) == result
    assert result["n"] == 80 and result["ci95"][0] > 0
    assert result["p_permutation"] < 0.001 and result["p_wilcoxon"] < 0.001
    assert stats.interval(a)[0] < stats.interval(b)[1]
    back = stats.paired(b, a)
    assert back["mean_difference"] == pytest.approx(-result["mean_difference"])
    assert back["p_wilcoxon"] == pytest.approx(result["p_wilcoxon"])


def test_paired_p_is_uniform_where_the_runs_do_not_differ():
    rng = np.random.default_rng(8)
    ps = [stats.paired(rng.normal(size=20), rng.normal(size=20), resamples=200)["p_permutation"] for _ in range(200)]
    assert np.mean(np.array(ps) <= 0.2) == pytest.approx(0.2, abs=0.09)  # three standard errors


def test_paired_runs_that_agree():
    result = stats.paired([0.3, 0.9], [0.1 + 0.2, 0.9])  # 0.1 + 0.2 is 0.30000000000000004
    assert result["p_permutation"] == result["p_wilcoxon"] == 1
    assert result["ci95"] == [0, 0] and result["mean_difference"] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.interval([]), r"values must be a list of finite numbers, got shape \(0,\)"),
        (lambda: stats.describe([0.9, float("nan")]), "1 not finite"),
        (lambda: stats.macro([[0.9], []]), "group 1 must be"),
        (lambda: stats.macro([]), "at least one group"),
        (lambda: stats.paired([0.9, 0.8], [0.9]), "same cases in both runs, got 2 and 1"),
        (lambda: stats.paired([0.9], [float("inf")]), "b must be"),
    ],
)
def test_refuses_what_has_no_answer(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_interval_of_a_percentile_lies_between_sorted_scores():
    # Of 100 scores, X lie below the percentile, a binomial of 1/20: P(X < 1) = 0.6% and P(X >= 11) = 1.1%, both below
    # 2.5%; P(X < 2) = 3.7% and P(X >= 10) = 2.8%, both above. So the first and the eleventh score.
    assert stats.percentile_interval(range(100, 0, -1), 0.05) == [1, 11]
    low, high = stats.percentile_interval(range(20), 0.05)
    assert low is None and high is not None
