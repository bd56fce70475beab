"""Problems of the lab "Is it better?": a right answer gets nothing, each wrong one a sentence."""

import numpy as np
import pytest
from scipy import stats

from cxrseg.labs import better


def interval(values, rng, percentages=(2.5, 97.5), replace=True):
    means = [rng.choice(values, len(values), replace=replace).mean() for _ in range(1500)]
    return np.percentile(means, percentages)


def p_value(difference, rng, alternative="two-sided"):
    found = stats.permutation_test(
        (difference,), np.mean, permutation_type="samples", n_resamples=1000, alternative=alternative, rng=rng
    )
    return found.pvalue


# Networks 0 to 4 against 5 to 9: three of the 25 p-values are below 0.05; of all 45 pairs, five are.
PAIRED = np.ones((10, 10))
for i, j in ((0, 5), (1, 9), (4, 7), (0, 1), (8, 9)):
    PAIRED[i, j] = PAIRED[j, i] = 0.01


@pytest.mark.parametrize(
    ("problem", "right", "wrong"),
    [
        (
            better.bootstraps,
            [
                (interval,),
                (
                    lambda values, rng: (
                        stats.bootstrap((values,), np.mean, n_resamples=2000, rng=rng).confidence_interval
                    ),
                ),
            ],
            [
                (lambda values, rng: interval(values, rng, (5, 95)),),
                (lambda values, rng: interval(values, rng, replace=False),),
                (lambda values, rng: interval(values, rng)[::-1],),
                (lambda values, rng: np.percentile(values, [2.5, 97.5]),),
                (lambda values, rng: interval(values[:25], rng),),
                (lambda values, rng: interval(values + 0.1, rng),),
                (lambda values, rng: None,),
            ],
        ),
        (better.sixteen_flips, [(0.125,), (2 / 16,)], [(1 / 16,), (0,), (0.5,), (2,)]),
        (
            better.flips_signs,
            [(p_value,)],
            [
                (lambda difference, rng: p_value(difference, rng, "greater"),),
                (lambda difference, rng: 1 - p_value(difference, rng),),
                (lambda difference, rng: 0.05,),
                (lambda difference, rng: None,),
            ],
        ),
        # 0.95 to the power of 45 is 0.0994.
        (better.false_alarm, [(0.9006,), (0.9,)], [(0.0994,), (2.25,), (0.05,), (0.5,)]),
        (better.a_against_a, [(3, PAIRED)], [(5, PAIRED), (3 / 25, PAIRED), (0, PAIRED), (25, PAIRED)]),
    ],
)
def test_problem(problem, right, wrong):
    assert [problem(*answers) for answers in right] == [""] * len(right)
    assert all(problem(*answers) for answers in wrong)
