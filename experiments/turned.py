"""Count how often the default model tells that a radiograph is turned or inverted, and how often it is wrong.

The limits were chosen on phantoms and on the groups ``decision`` and ``jsrt_decision``; the others are ``checked``.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from cxrseg import load_model
from cxrseg.data.square import to_square
from cxrseg.evaluate.predict import Network, predict
from cxrseg.parallel import starmap
from cxrseg.phantom import LABELS, phantom
from cxrseg.publish.experiments import Experiment
from cxrseg.publish.tables import divided
from cxrseg.segment.orientation import UPRIGHT, Orientation, confidence, orientation

WAYS = {
    "turned_90": (lambda image: np.rot90(image, -1), Orientation(90, False)),
    "turned_180": (lambda image: np.rot90(image, 2), Orientation(180, False)),
    "turned_270": (lambda image: np.rot90(image, 1), Orientation(270, False)),
    "upside_down": (np.flipud, Orientation(180, False)),
    "inverted": (lambda image: 255 - image, Orientation(0, True)),
    "turned_180_inverted": (lambda image: 255 - np.rot90(image, 2), Orientation(180, True)),
}
"""What is done to a radiograph, and what should be said of it, by name."""


def measure(experiment: Experiment) -> dict:
    """Return the rates of each group of radiographs, and of all that steered nothing."""
    model, n, seed = load_model(), experiment.options["phantoms"], experiment.options["seed"]
    images = {}
    for prefix, name in (("", "development"), ("jsrt_", "jsrt")):
        for group, cases in zip(("decision", "others"), divided(experiment, name), strict=True):
            images[prefix + group] = (case.image() for case in cases)
    made = starmap(phantom, [(seed, k, label) for label in LABELS for k in range(n)])
    images["phantoms"] = (one.image for one in made)
    tell = partial(told, model.network, model.card.confidence)
    with ThreadPoolExecutor() as pool:  # onnxruntime releases the interpreter lock
        tables = {name: pd.DataFrame(pool.map(tell, group)) for name, group in images.items()}
    checked = pd.concat([tables["others"], tables["jsrt_others"]])
    return {"checked": rates(checked), "groups": {name: rates(rows) for name, rows in tables.items()}}


def told(network: Network, usual: float, image: np.ndarray) -> dict[str, bool]:
    """Return whether the right thing is said of a radiograph as it is, and in each of `WAYS`."""
    square = to_square(image, network.grid)
    levels = predict(network, np.stack([square, square[:, ::-1]]))[..., 0]
    row = {
        "false_alarm": orientation(network, usual, square, levels[0]) != UPRIGHT,
        "tried": confidence(levels[0]) < usual,
        "surer_than_mirrored": confidence(levels[0]) > confidence(levels[1]),
    }
    for name, (change, expected) in WAYS.items():
        changed = np.ascontiguousarray(change(square))
        row[name] = orientation(network, usual, changed, predict(network, changed[None])[0, ..., 0]) == expected
    return row


def rates(rows: pd.DataFrame) -> dict:
    """Return the number of radiographs, and of each measurement the count and the rate with its exact 95% interval."""
    tests = {name: binomtest(int(rows[name].sum()), len(rows)) for name in rows}
    return {"n": len(rows)} | {
        name: {"count": test.k, "rate": test.k / test.n, "ci95": list(test.proportion_ci(method="exact"))}
        for name, test in tests.items()
    }
