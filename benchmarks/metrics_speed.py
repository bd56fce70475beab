"""Compare the speed of `cxrseg.evaluate.metrics` and of the package surface-distance on the same pairs of masks.

Both compute HD95, the mean distance between outlines and the NSD at 2 pixels of lung-like masks at 256 x 256 on one
core. Their distances differ a little, because each defines the outline in its own way; their NSD is the same. They
run by turns, so that other load on the machine slows both.
"""

import warnings
from importlib.metadata import version
from itertools import starmap

import numpy as np
import surface_distance
from rounds import alternate, ratio, seconds, spread
from scipy.ndimage import gaussian_filter

from cxrseg.evaluate import metrics
from cxrseg.publish.experiments import Experiment

SIDE = 256


def measure(experiment: Experiment) -> dict:
    """Return the milliseconds per pair of masks of both, and their ratio.

    Raises
    ------
    ValueError
        The NSD of the two differ.
    """
    warnings.simplefilter("ignore", DeprecationWarning)  # surface-distance calls old names of SciPy
    rounds, n = experiment.options["rounds"], experiment.options["pairs"]
    rng = np.random.default_rng(2023)
    pairs = [(lungs(rng), lungs(rng)) for _ in range(n)]
    apart = np.abs([np.subtract(ours(*pair), theirs(*pair)) for pair in pairs])
    if apart[:, 2].max() > 1e-9:
        raise ValueError(f"the NSD of cxrseg and surface-distance differ by {apart[:, 2].max()}")

    def milliseconds(function) -> float:
        return 1000 * seconds(list, starmap(function, pairs)) / n

    contenders = {"cxrseg": lambda: milliseconds(ours), "surface_distance": lambda: milliseconds(theirs)}
    spent = alternate(contenders, rounds)
    return {
        "image_size": SIDE,
        "rounds": rounds,
        "largest_difference": dict(zip(("hd95_px", "assd_px"), apart[:, :2].max(axis=0).tolist(), strict=True)),
        "milliseconds_per_pair": {name: spread(values) for name, values in spent.items()},
        "surface_distance_over_cxrseg": ratio(spent["surface_distance"], spent["cxrseg"]),
        "every_metric_milliseconds": milliseconds(metrics.all_metrics),
        "contender_versions": {"surface-distance": version("surface-distance")},
    }


def lungs(rng: np.random.Generator) -> np.ndarray:
    """Draw a mask of two ellipses of lung size with wavy outlines, (256, 256) bool."""
    y, x = np.mgrid[:SIDE, :SIDE]
    waves = 40 * gaussian_filter(rng.standard_normal((2, SIDE, SIDE)), (0, 12, 12))
    mask = np.zeros((SIDE, SIDE), bool)
    for wave, middle in zip(waves, (80, 176), strict=True):
        row, column = rng.normal((128, middle), 2)
        mask |= ((y - row) / rng.normal(88, 2)) ** 2 + ((x - column) / rng.normal(40, 1)) ** 2 + wave / 5 < 1
    return mask


def ours(truth: np.ndarray, prediction: np.ndarray) -> tuple[float, float, float]:
    """Compute HD95, mean distance and NSD with cxrseg, which computes every metric at once."""
    row = metrics.all_metrics(truth, prediction)
    return row["hd95_px"], row["assd_px"], row["nsd_2px"]


def theirs(truth: np.ndarray, prediction: np.ndarray) -> tuple[float, float, float]:
    """Compute the same with surface-distance, whose mean distance has a value for each direction."""
    found = surface_distance.compute_surface_distances(truth, prediction, (1, 1))
    mean = np.mean(surface_distance.compute_average_surface_distance(found))
    nsd = surface_distance.compute_surface_dice_at_tolerance(found, 2)
    return surface_distance.compute_robust_hausdorff(found, 95), float(mean), nsd
