"""Learning curve: the Dice of the study `best` against the number of training cases, with and without a warm start.

    python experiments/curve.py --data A.zip

Networks start from phantoms or from random weights. All points and the paper's recipe use the cases and folds of the
study `quex`, and every case is tested once. The point without patients is the default model on the same cases.
An interrupted experiment resumes where it stopped. With --only, the given points are measured again. The other points
and the paper's recipe are kept as published if their cases, recipe and default model are the same.
"""

import argparse
import hashlib
import json
import subprocess
import sys

import pandas as pd
from ablation import RANDOM, SCRATCH
from series import command, difference, entry, run, variant
from zero_shot import summarise

from cxrseg import models, paths, provenance, runs
from cxrseg.evaluate import compare
from cxrseg.files import write_json
from cxrseg.studies import read_study

EPOCHS = {10: 200, 30: 100, 100: 50}
"""Epochs by number of cases: few cases make short epochs. For all cases, the study's value is used."""


def points_of(numbers: list[int]) -> dict[int, dict[str, tuple[str, list[str]]]]:
    """Return two runs per number of cases (0: all), from phantoms and from random weights, for `series.run`."""
    points = {}
    for cases in numbers:
        few = [f"train.cases={cases}", f"train.epochs={EPOCHS[cases]}"] if cases else []
        phantoms = variant("best", f"{cases} cases") if cases else "best"
        # With all cases, this is the same run as a row of the ablation.
        scratch = variant(phantoms, RANDOM)
        points[cases] = {phantoms: ("best", few), scratch: ("best", [*few, SCRATCH])}
    return points


def origin(fingerprint: str) -> dict:
    """Return what all points of a curve must share: the cases, the training of `best` and the default model."""
    default = hashlib.sha256(models.weights_file(models.DEFAULT).read_bytes()).hexdigest()
    train = read_study(paths.study_file("best")).train.model_dump()
    return {"dataset_fingerprint": fingerprint, "default": default, "train": train}


def before(origin: dict) -> dict:
    """Return the published curve if it has the same origin, else an empty dict."""
    file = paths.published() / "curve.json"
    content = json.loads(file.read_text()) if file.is_file() else {}
    if all(content.get(key) == value for key, value in origin.items()):
        return content
    print("nothing was published of the curve by this recipe on these cases: --only leaves the other points out")
    return {}


def main() -> None:
    """Run the missing runs and write ``book/published/curve.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="COVID-QU-Ex, ZIP or folder")
    numbers = [*EPOCHS, 0]
    parser.add_argument("--only", type=int, nargs="+", choices=numbers, default=numbers, help="these alone; 0: all")
    options = parser.parse_args()
    data, parts, whole = options.data, points_of(options.only), set(options.only) == set(numbers)
    learning = {name: study for point in parts.values() for name, study in point.items()}
    run({"quex": ("quex", []), **learning} if whole else learning, data)
    first = next(iter(parts[options.only[0]]))
    scored, shared = compare.cases(first), origin(runs.summary(first)["provenance"]["dataset_fingerprint"])
    earlier = {} if whole else before(shared)
    evaluate = [sys.executable, "-m", "cxrseg.cli", "evaluate", "default", "--on", f"covid_qu_ex:{data}"]
    subprocess.run(evaluate, check=True)
    tested = pd.read_csv(paths.external("default", paths.dataset_name(data)) / "cases.csv", dtype={"case_id": str})
    # Both tables come from the same archive, masks and pixels, so equal names mean the same cases.
    default = tested[tested["case_id"].isin(scored["case_id"])].assign(dataset=scored["dataset"].iloc[0])
    points = earlier.get("points", {}) | {"0": {"phantoms": summarise(default)}}
    minus_paper = earlier.get("minus_paper", {})
    for cases, (phantoms, scratch) in parts.items():
        rows, random = compare.cases(phantoms), compare.cases(scratch)
        points[str(cases or "all")] = {
            "phantoms": entry(phantoms),
            "scratch": entry(scratch),
            "phantoms_minus_default": difference(rows, default),
            "phantoms_minus_scratch": difference(rows, random),
        }
        minus_paper.pop(str(cases or "all"), None)
        if whole:
            minus_paper[str(cases or "all")] = difference(rows, compare.cases("quex"))
    content = {
        "command": command(__file__, data, first),
        "n_cases": len(scored),
        "points": {name: points[name] for name in ("0", *map(str, EPOCHS), "all") if name in points},
        "paper": entry("quex") if whole else earlier.get("paper"),
        "minus_paper": minus_paper,
        "epochs": {str(cases): passes for cases, passes in EPOCHS.items() if str(cases) in points},
        **shared,
        "provenance": provenance.record(),
    }
    write_json(paths.published() / "curve.json", content)
    for cases, point in points.items():
        print(cases, {start: round(row["mean"], 4) for start, row in point.items() if "mean" in row})


if __name__ == "__main__":
    main()
