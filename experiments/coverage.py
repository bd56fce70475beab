"""Simulate the coverage of the 95% confidence interval: the share of samples in which it contains the true mean.

    python experiments/coverage.py

The script draws samples of n Dice scores from two synthetic distributions of known mean, and counts how often
`cxrseg.evaluate.stats.interval` contains that mean. It writes ``book/published/coverage.json``.

The first is a Beta distribution with mean 0.930 and 5th percentile 0.826, the values of the paper's recipe on
real radiographs in a pilot experiment. It is skewed to the left and has no gross failures. The second adds such
failures: 2% of the cases are drawn from a Beta distribution with mean 0.5.
"""

import json
import sys

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta, skew

from cxrseg import __version__, paths
from cxrseg.evaluate import stats

DRAWS, SIZES, CONFIDENCE, RESAMPLES, SEED = 1000, (58, 292), 0.95, 5000, 2023
MEAN, P5 = 0.930, 0.826
FAILURES, FAILURE_MEAN = 0.02, 0.5


def skewed(rng, n):
    """Draw n scores from the Beta distribution with mean `MEAN` and 5th percentile `P5`."""
    weight = brentq(lambda k: beta.ppf(0.05, MEAN * k, (1 - MEAN) * k) - P5, 5, 500)
    return rng.beta(MEAN * weight, (1 - MEAN) * weight, n)


def with_failures(rng, n):
    """Draw n scores, each of which is a failure with probability `FAILURES`."""
    return np.where(rng.random(n) < FAILURES, rng.beta(4, 4, n), skewed(rng, n))


DISTRIBUTIONS = {
    "skewed": (skewed, MEAN),
    "skewed_with_failures": (with_failures, (1 - FAILURES) * MEAN + FAILURES * FAILURE_MEAN),
}


def coverage(draw, mean, n, rng):
    """Return how often the interval of n scores contains the true mean, lies below it and above it, and its width."""
    intervals = np.array([stats.interval(draw(rng, n), CONFIDENCE, RESAMPLES, seed) for seed in range(DRAWS)])
    low, high = intervals.T
    share = float(np.mean((low <= mean) & (mean <= high)))
    return {
        "coverage": share,
        "standard_error": float((share * (1 - share) / DRAWS) ** 0.5),
        "interval_below_mean": float(np.mean(high < mean)),
        "interval_above_mean": float(np.mean(low > mean)),
        "mean_width": float(np.mean(high - low)),
    }


def main():
    rng = np.random.default_rng(SEED)
    result = {
        "command": "python experiments/coverage.py",
        "versions": {"cxrseg": __version__, "numpy": np.__version__, "python": sys.version.split()[0]},
        "nominal": CONFIDENCE,
        "draws": DRAWS,
        "resamples": RESAMPLES,
        "seed": SEED,
    }
    for name, (draw, mean) in DISTRIBUTIONS.items():
        many = draw(np.random.default_rng(SEED), 1_000_000)
        result[name] = {
            "true_mean": mean,
            "p5": float(np.percentile(many, 5)),
            "skewness": float(skew(many)),
            **{f"n{n}": coverage(draw, mean, n, rng) for n in SIZES},
        }
        print(name, json.dumps(result[name]))
    target = paths.published() / "coverage.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n")
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
