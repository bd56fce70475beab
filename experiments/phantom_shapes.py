"""Compare the lung shapes of realistic phantoms with those of the real masks by which the phantoms were steered."""

import numpy as np

from cxrseg.measure.shape import LungShape, lung_shape
from cxrseg.parallel import starmap
from cxrseg.phantom import LABELS, phantom
from cxrseg.publish.experiments import Experiment
from cxrseg.publish.tables import divided

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


def measure(experiment: Experiment) -> dict:
    """Return, for each measure of the shape, how the values of real masks and of phantoms are distributed."""
    n, seed = experiment.options["phantoms"], experiment.options["seed"]
    steered, _ = divided(experiment, "development")
    real = np.array([lung_shape(case.masks["lungs"]()) for case in steered])
    phantoms = starmap(phantom, ((seed, k, LABELS[k % len(LABELS)]) for k in range(n)))
    made = np.array([lung_shape(one.lungs) for one in phantoms])
    names = [name.replace("_", " ") for name in LungShape._fields]
    measures = {name: compare(real[:, k], made[:, k]) for k, name in enumerate(names)}
    return {"n_real": len(real), "n_made": n, "seed": seed, "measures": measures}


def compare(real: np.ndarray, made: np.ndarray) -> dict:
    """Return percentiles and histograms of two groups of values, and the share of real ones that phantoms cover.

    A value is covered within the central 98% of the phantoms.
    """
    low, high = np.percentile(made, [1, 99])
    edges = np.linspace(min(real.min(), made.min()), max(real.max(), made.max()), 31)
    return {
        "covered": float(np.mean((real >= low) & (real <= high))),
        "percentiles": list(PERCENTILES),
        "real": np.percentile(real, PERCENTILES).tolist(),
        "made": np.percentile(made, PERCENTILES).tolist(),
        "histogram": {
            "edges": edges.tolist(),
            "real": np.histogram(real, edges)[0].tolist(),
            "made": np.histogram(made, edges)[0].tolist(),
        },
    }
