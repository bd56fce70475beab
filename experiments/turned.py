"""Measure how often the default model tells that a radiograph is turned or inverted, and how often it is wrong.

    python experiments/turned.py --data A.zip --jsrt B.zip

The limits of `cxrseg.segment.orientation` were chosen on phantoms and on the groups ``decision`` and ``jsrt_decision``;
``others`` and ``jsrt_others`` steered nothing. B.zip holds the radiographs of JSRT in ``…/images/``.
"""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from jsrt import decision_names
from scipy.stats import binomtest
from zero_shot import decision_cases, pairs

from cxrseg import load_model, paths, provenance
from cxrseg.data.read import archive
from cxrseg.data.square import to_square
from cxrseg.evaluate.predict import predict
from cxrseg.files import write_json
from cxrseg.parallel import starmap
from cxrseg.phantom import LABELS, phantom
from cxrseg.segment.model import Model
from cxrseg.segment.orientation import Orientation, confidence, orientation

WAYS = {
    "turned_90": (lambda image: np.rot90(image, -1), Orientation(90, False)),
    "turned_180": (lambda image: np.rot90(image, 2), Orientation(180, False)),
    "turned_270": (lambda image: np.rot90(image, 1), Orientation(270, False)),
    "upside_down": (np.flipud, Orientation(180, False)),
    "inverted": (lambda image: 255 - image, Orientation(0, True)),
    "turned_180_inverted": (lambda image: 255 - np.rot90(image, 2), Orientation(180, True)),
}
"""What is done to a radiograph, and what should be said of it, by name."""

PHANTOMS = 100
"""Number of realistic phantoms of each class."""

ROUNDS = 200
"""Number of radiographs timed."""


def radiographs(data: str, jsrt: str) -> list[tuple[str, np.ndarray]]:
    """Return the group and the (256, 256) image of each real radiograph and of each phantom."""
    cases = pairs(data)
    decided = decision_cases(case.case_id for case in cases)
    found = [("decision" if case.case_id in decided else "others", case.image()) for case in cases]
    names = [name for name in archive.list_files(Path(jsrt)) if PurePosixPath(name).parent.name == "images"]
    chosen = decision_names([PurePosixPath(name).stem for name in names])
    for name in sorted(names):
        group = "jsrt_decision" if PurePosixPath(name).stem in chosen else "jsrt_others"
        found.append((group, archive.radiograph(Path(jsrt), name)))
    made = starmap(phantom, [(5150, k, label) for label in LABELS for k in range(PHANTOMS)])
    found += [("phantoms", one.image) for one in made]
    return [(group, to_square(image, 256)) for group, image in found]


def measure(model: Model, square: np.ndarray) -> dict:
    """Return whether the right thing is said of a radiograph as it is, and in each of `WAYS`."""
    levels = predict(model.network, np.stack([square, square[:, ::-1]]))[..., 0]
    row = {
        "false_alarm": orientation(model.network, model.card.confidence, square, levels[0]) != Orientation(0, False),
        "tried": confidence(levels[0]) < model.card.confidence,
        "surer_than_mirrored": confidence(levels[0]) > confidence(levels[1]),
    }
    for name, (change, expected) in WAYS.items():
        changed = np.ascontiguousarray(change(square))
        levels = predict(model.network, changed[None])[0, ..., 0]
        row[name] = orientation(model.network, model.card.confidence, changed, levels) == expected
    return row


def rates(rows: pd.DataFrame) -> dict:
    """Return the number of radiographs, and of each measurement the count and the rate with its exact 95% interval."""
    result: dict = {"n": len(rows)}
    for name in rows.columns.drop("group"):
        count = int(rows[name].sum())
        low, high = binomtest(count, len(rows)).proportion_ci(method="exact")
        result[name] = {"count": count, "rate": count / len(rows), "ci95": [float(low), float(high)]}
    return result


def cost(model: Model, squares: list[np.ndarray]) -> dict:
    """Return the milliseconds that a radiograph of 256 pixels takes, and the share of them that the orientation takes.

    Both are measured on one radiograph after the other, as they are.
    """
    whole, part = [], []
    for square in squares:
        began = time.perf_counter()
        model.segment(square)
        whole.append(time.perf_counter() - began)
        levels = predict(model.network, square[None])[0, ..., 0]
        began = time.perf_counter()
        orientation(model.network, model.card.confidence, square, levels)
        part.append(time.perf_counter() - began)
    return {"n": len(squares), "segment_ms": 1000 * float(np.mean(whole)), "share": sum(part) / sum(whole)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="the excerpt of COVID-QU-Ex, ZIP or folder")
    parser.add_argument("--jsrt", required=True, help="JSRT, ZIP or folder with images/")
    options = parser.parse_args()
    found, model = radiographs(options.data, options.jsrt), load_model()
    groups, squares = zip(*found, strict=True)
    others = [square for group, square in found if group == "others"]
    spent = cost(model, others[:: len(others) // ROUNDS][:ROUNDS])
    with ThreadPoolExecutor() as pool:  # onnxruntime releases the interpreter lock
        rows = pd.DataFrame(list(pool.map(partial(measure, model), squares))).assign(group=groups)
    checked = rows[rows["group"].isin(["others", "jsrt_others"])]
    content = {
        "command": f"python experiments/turned.py --data {Path(options.data).name} --jsrt {Path(options.jsrt).name}",
        "checked": rates(checked),
        "groups": {name: rates(part) for name, part in rows.groupby("group", sort=False)},
        "cost": spent,
        "provenance": provenance.record(),
    }
    write_json(paths.published() / "turned.json", content)
    print(content)


if __name__ == "__main__":
    main()
