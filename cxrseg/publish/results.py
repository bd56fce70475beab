"""Results of experiments: made in ``runs/.published/``, copied to ``book/published/``, compared with what is there."""

import hashlib
import json
import math
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from cxrseg import models, paths, provenance, runs
from cxrseg.files import write_csv, write_json
from cxrseg.publish import tables
from cxrseg.publish.experiments import Experiment

ROOMS = ("data", "evaluate", "measure", "models", "phantom", "segment", "train")
"""Rooms of the package that a result depends on."""

UNTESTED = {"experiment", "provenance", "seconds", "hardware", "commit", "seconds_per_image", "seconds_per_fold"}
"""Keys whose values are of one machine or one moment."""

EXACT = re.compile("n|n_.*|seeds?|cases")
"""Keys of whole numbers that no rounding can move."""


def made(name: str) -> Path:
    """Return the file of a result before it is published."""
    return paths.runs() / ".published" / f"{name}.json"


def inputs(experiment: Experiment) -> str:
    """Return a digest of what a result depends on: code, experiment, data, default model, backend, scores of runs."""
    # What is timed may be any part of the package.
    timed = experiment.script.parent.name == "benchmarks"
    code = provenance.code_fingerprint() if timed else provenance.rooms_fingerprint(*ROOMS)
    digest = hashlib.sha256((code + os.environ.get("KERAS_BACKEND", "")).encode())
    plan = paths.root() / "experiments" / f"{experiment.name}.yml"
    scores = [paths.run(run.run) / "summary.json" for run in experiment.every_run()]
    # Modules of one folder may import each other.
    modules = sorted(experiment.script.parent.glob("*.py"))
    for file in (plan, *modules, Path(tables.__file__), *experiment.sets.values(), *scores):
        digest.update(file.read_bytes() if file.is_file() else b"missing")
    digest.update(models.weights_file(models.DEFAULT).read_bytes())
    return digest.hexdigest()


def head(experiment: Experiment) -> dict:
    """Return what every published file says of itself."""
    summaries = {run.run: runs.summary(run.run)["provenance"] for run in experiment.every_run()}
    return {
        "name": experiment.name,
        "title": experiment.title,
        "command": f"cxrseg publish {experiment.name}" + (" --data FOLDER" if experiment.sets else ""),
        "runs": {name: round(sum(one["durations_s"].values())) for name, one in summaries.items()},
        "precision": _one(one["precision"] for one in summaries.values()),
        "backend": _one(one["backend"] for one in summaries.values()),
        "data": {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in experiment.sets.items()},
        "default_model": models.card().sha256,
        "trained_at": _one(fold["commit"] for one in summaries.values() for fold in one["training"]),
        "scored_at": _one(one["commit"] for one in summaries.values()),
        "inputs": inputs(experiment),
        **provenance.record(),
    }


def write(about: dict, content: dict, cases: pd.DataFrame | None) -> None:
    """Write a result to the folder of results that are to be published.

    Parameters
    ----------
    about : dict
        The `head` of the experiment, from before it was measured, and its ``seconds``.
    content : dict
    cases : DataFrame, optional
        The table that is published beside it.
    """
    file = made(about["name"])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_suffix(".csv").unlink(missing_ok=True)
    if cases is not None:
        write_csv(file.with_suffix(".csv"), cases)
    write_json(file, {"experiment": about, **content})


def current(experiment: Experiment, clean: bool) -> bool:
    """Return whether a result is there and of the inputs of today, and if asked, of files as they were committed."""
    file = made(experiment.name)
    if not file.is_file():
        return False
    about = json.loads(file.read_text())["experiment"]
    return about["inputs"] == inputs(experiment) and not (clean and about["dirty"])


def publish(name: str) -> None:
    """Copy a result and its table of cases to ``book/published/``, in place of those that are there."""
    file, target = made(name), paths.published()
    target.mkdir(parents=True, exist_ok=True)
    for one in (file.with_suffix(".csv"), file):
        if one.is_file():
            partial = target / f"partial-{one.name}"
            shutil.copyfile(one, partial)
            partial.replace(target / one.name)
        else:
            (target / one.name).unlink(missing_ok=True)


def moved(name: str, tolerance: float) -> list[str]:
    """Return one line for each number of a result that differs from the published one by more than a tolerance."""
    if math.isinf(tolerance):
        return []
    file = paths.published() / f"{name}.json"
    old, new = (_leaves(json.loads(path.read_text())) for path in (file, made(name)))
    lines = []
    for key in sorted(old.keys() & new.keys()):
        a, b = old[key], new[key]
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (a, b))
        numbers &= not (isinstance(a, int) and isinstance(b, int) and EXACT.fullmatch(key.rpartition(".")[2]))
        if not (math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance) if numbers else a == b):
            lines.append(f"{name}: {key}: published {a}, now {b}" + (f" (tolerance {tolerance})" if numbers else ""))
    lines += [f"{name}: {key}: not published" for key in sorted(new.keys() - old.keys())]
    lines += [f"{name}: {key}: no longer measured" for key in sorted(old.keys() - new.keys())]
    return lines + _moved_cases(name, tolerance)


def _moved_cases(name: str, tolerance: float) -> list[str]:
    """Return one line if the tables of cases differ: in their rows, or in the mean of a column by more than allowed."""
    files = (paths.published() / f"{name}.csv", made(name).with_suffix(".csv"))
    if not all(there := [file.is_file() for file in files]):
        return [f"{name}.csv: {'no longer made' if there[0] else 'not published'}"] if any(there) else []
    old, new = map(pd.read_csv, files)
    words = old.select_dtypes(exclude="number").columns
    if list(old.columns) != list(new.columns) or not old[words].equals(new[words]):
        return [f"{name}.csv: other columns or cases than published"]
    means = pd.DataFrame({"old": old.mean(numeric_only=True), "new": new.mean(numeric_only=True)})
    moved = means[~np.isclose(means["new"], means["old"], rtol=tolerance, atol=tolerance, equal_nan=True)]
    return [
        f"{name}.csv: the mean of {row.Index}: published {row.old:.5g}, now {row.new:.5g}" for row in moved.itertuples()
    ]


def _leaves(tree, key: str = "") -> dict:
    """Return the single values of a result by their dotted keys, but for those of one moment and the p-values."""
    if isinstance(tree, dict):
        items = [(name, value) for name, value in tree.items() if name not in UNTESTED and not name.startswith("p_")]
    elif isinstance(tree, list):
        items = [(str(place), value) for place, value in enumerate(tree)]
    else:
        return {key: tree}
    return {
        leaf: value for name, part in items for leaf, value in _leaves(part, f"{key}.{name}" if key else name).items()
    }


def _one(values) -> str:
    """Return the value if there is one, all of them if they differ, and an empty text if there is none."""
    return ", ".join(sorted(set(values)))
