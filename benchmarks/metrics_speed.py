"""Time `cxrseg.metrics` against MedPy at equal values, and all metrics of 1,000 cases.

    pip install "cxrseg[benchmark]"
    python benchmarks/metrics_speed.py

HD95 and ASSD of the same pairs of lung-like masks at 256x256, the two tools by turns, so that a busy
machine slows both; the values must be equal. Then every metric of 1,000 such cases on one core.
"""

import time

import medpy
import numpy as np
from medpy.metric import binary
from scipy.ndimage import gaussian_filter

from cxrseg import metrics

SIDE, PAIRS, ROUNDS, CASES = 256, 20, 15, 1000


def lungs(rng):
    """Two ellipses of lung size, each with a wavy outline."""
    y, x = np.mgrid[:SIDE, :SIDE]
    waves = 40 * gaussian_filter(rng.standard_normal((2, SIDE, SIDE)), (0, 12, 12))
    mask = np.zeros((SIDE, SIDE), bool)
    for wave, middle in zip(waves, (80, 176), strict=True):
        row, column = rng.normal((128, middle), 2)
        mask |= ((y - row) / rng.normal(88, 2)) ** 2 + ((x - column) / rng.normal(40, 1)) ** 2 + wave / 5 < 1
    return mask


def ours(truth, prediction):
    """HD95 and ASSD as two calls, as MedPy's."""
    return metrics.hd95(truth, prediction), metrics.assd(truth, prediction)


def theirs(truth, prediction):
    return binary.hd95(prediction, truth), binary.assd(prediction, truth)


def milliseconds(function, pairs):
    """Return the values, and the mean time of one pair."""
    start = time.perf_counter()
    values = [function(*pair) for pair in pairs]
    return values, 1e3 * (time.perf_counter() - start) / len(pairs)


def main():
    rng = np.random.default_rng(2023)
    pairs = [(lungs(rng), lungs(rng)) for _ in range(PAIRS)]
    times = {ours: [], theirs: []}
    for _ in range(ROUNDS):
        values = {}
        for function in times:
            values[function], spent = milliseconds(function, pairs)
            times[function].append(spent)
        worst = np.abs(np.subtract(values[ours], values[theirs])).max()
        assert worst < 1e-9, f"values differ by {worst}"
    print(f"HD95 + ASSD, {SIDE}x{SIDE}, {PAIRS} pairs, {ROUNDS} alternating rounds; largest difference {worst:.1e}")
    for name, function in (("cxrseg", ours), (f"MedPy {medpy.__version__}", theirs)):
        low, middle, high = np.percentile(times[function], [5, 50, 95])
        print(f"  {name:12} {middle:6.2f} ms a pair (5th to 95th percentile of rounds {low:.2f} to {high:.2f})")
    low, middle, high = np.percentile(np.divide(times[theirs], times[ours]), [5, 50, 95])
    print(f"  faster by    {middle:6.2f} times ({low:.2f} to {high:.2f})")

    _, each = milliseconds(metrics.all_metrics, [pairs[i % PAIRS] for i in range(CASES)])
    print(f"every metric of {CASES} cases, one core: {each * CASES / 1e3:.1f} s")


if __name__ == "__main__":
    main()
