"""Compare the speed of `cxrseg.evaluate.metrics` and MedPy, after checking that their values are equal.

    pip install "cxrseg[benchmark]"
    python benchmarks/metrics_speed.py

Both tools compute HD95 and ASSD of the same pairs of lung-like masks at 256x256 on one core. They run by turns, so
that other load on the machine slows both. The script writes ``book/published/metrics_speed.json``.
"""

import json
import time

import medpy
import numpy as np
from medpy.metric import binary
from rounds import alternate, ratio, spread
from scipy.ndimage import gaussian_filter

from cxrseg import paths, provenance
from cxrseg.evaluate import metrics
from cxrseg.files import write_json

SIDE, PAIRS, ROUNDS = 256, 20, 15


def lungs(rng):
    """Draw a mask of two ellipses of lung size with wavy outlines."""
    y, x = np.mgrid[:SIDE, :SIDE]
    waves = 40 * gaussian_filter(rng.standard_normal((2, SIDE, SIDE)), (0, 12, 12))
    mask = np.zeros((SIDE, SIDE), bool)
    for wave, middle in zip(waves, (80, 176), strict=True):
        row, column = rng.normal((128, middle), 2)
        mask |= ((y - row) / rng.normal(88, 2)) ** 2 + ((x - column) / rng.normal(40, 1)) ** 2 + wave / 5 < 1
    return mask


def ours(truth, prediction):
    """Compute HD95 and ASSD with cxrseg, where one call gives every metric; MedPy needs one call for each."""
    row = metrics.all_metrics(truth, prediction)
    return row["hd95_px"], row["assd_px"]


def theirs(truth, prediction):
    return binary.hd95(prediction, truth), binary.assd(prediction, truth)


def seconds(function, pairs) -> float:
    began = time.perf_counter()
    for pair in pairs:
        function(*pair)
    return time.perf_counter() - began


def main():
    """Print the results and write ``book/published/metrics_speed.json``."""
    rng = np.random.default_rng(2023)
    pairs = [(lungs(rng), lungs(rng)) for _ in range(PAIRS)]
    worst = max(np.abs(np.subtract(ours(*pair), theirs(*pair))).max() for pair in pairs)
    assert worst < 1e-9, f"values differ by {worst}"
    spent = alternate(
        {name: lambda f=f: 1000 * seconds(f, pairs) / PAIRS for name, f in (("cxrseg", ours), ("medpy", theirs))},
        ROUNDS,
    )
    content = {
        "command": "python benchmarks/metrics_speed.py",
        "image_size": SIDE,
        "rounds": ROUNDS,
        "largest_difference": float(worst),
        "milliseconds_per_pair": {name: spread(values) for name, values in spent.items()},
        "medpy_over_cxrseg": ratio(spent["medpy"], spent["cxrseg"]),
        "every_metric_milliseconds": 1000 * seconds(metrics.all_metrics, pairs) / PAIRS,
        "provenance": provenance.record(medpy=medpy.__version__),
    }
    print(json.dumps({key: content[key] for key in list(content)[3:-1]}, indent=1))
    write_json(paths.published() / "metrics_speed.json", content)


if __name__ == "__main__":
    main()
