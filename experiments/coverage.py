"""Simulate the coverage of the bootstrap interval of a mean: the share of samples in which it holds the true mean.

The true means are known: of a Beta distribution that is skewed to the left, and of the same with gross failures.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta

from cxrseg.evaluate import stats
from cxrseg.parallel import starmap
from cxrseg.publish.experiments import Experiment


def measure(experiment: Experiment) -> dict:
    """Return the coverage for both distributions and each number of cases."""
    options, (a, b) = experiment.options, experiment.options["failures"]["beta"]
    mean, rng = options["mean"], np.random.default_rng(options["seed"])
    weight = brentq(lambda k: beta.ppf(0.05, mean * k, (1 - mean) * k) - options["p5"], 5, 500)

    def sample(n: int, share: float) -> np.ndarray:
        failed, low = (rng.random(n) < share, rng.beta(a, b, n)) if share else (False, 0)
        return np.where(failed, low, rng.beta(mean * weight, (1 - mean) * weight, n))

    content = {key: options[key] for key in ("confidence", "draws", "resamples", "seed")}
    for name, share in (("skewed", 0), ("skewed_with_failures", options["failures"]["share"])):
        content[name] = {"true_mean": (1 - share) * mean + share * a / (a + b)}
        for n in options["sizes"]:
            samples = [sample(n, share) for _ in range(options["draws"])]
            tasks = ((one, options["confidence"], options["resamples"], seed) for seed, one in enumerate(samples))
            low, high = np.array(list(starmap(stats.interval, tasks))).T
            content[name][f"n{n}"] = coverage(low, high, content[name]["true_mean"])
    return content


def coverage(low: np.ndarray, high: np.ndarray, mean: float) -> dict:
    """Return how often (n,) intervals hold the true mean, lie below it and above it, and their mean width."""
    share = float(np.mean((low <= mean) & (mean <= high)))
    return {
        "coverage": share,
        "standard_error": (share * (1 - share) / len(low)) ** 0.5,
        "interval_below_mean": float(np.mean(high < mean)),
        "interval_above_mean": float(np.mean(low > mean)),
        "mean_width": float(np.mean(high - low)),
    }
