"""How many patients does it take? The study `best` with few and with many, from phantoms and from random weights.

    python benchmarks/curve.py --data A.zip

All on the cases and folds of the study `quex`, every case tested once, beside the paper's recipe. Without a patient,
the score is that of the default model on the same cases. The run `quex` must be here, or published. Interrupted, it
goes on where it was; with --only, what was published of the other numbers stays, if it is of the same `best`.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd
from ablation import RANDOM, SCRATCH
from series import before, difference, entry, known, published, result, run, variant
from zero_shot import summarise

from cxrseg import paths, runs

EPOCHS = {10: 200, 30: 100, 100: 50}
"""Passes by cases: few cases make short passes. All: as the study says."""


def points_of(numbers: list[int]) -> dict[int, dict[str, tuple[str, list[str]]]]:
    """Return two runs for each number of cases, from phantoms and from random weights, for `series.run`; 0: all."""
    points = {}
    for cases in [*numbers, 0]:
        few = [f"train.cases={cases}", f"train.epochs={EPOCHS[cases]}"] if cases else []
        phantoms = variant("best", f"{cases} cases") if cases else "best"
        # With all cases: the same run as a row of the ablation.
        scratch = variant(phantoms, RANDOM)
        points[cases] = {phantoms: ("best", few), scratch: ("best", [*few, SCRATCH])}
    return points


def main() -> None:
    """Run what is missing, and write ``book/published/curve.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="COVID-QU-Ex, ZIP or folder")
    parser.add_argument("--only", type=int, nargs="+", choices=EPOCHS, default=list(EPOCHS), help="these numbers alone")
    options = parser.parse_args()
    data, only = options.data, sorted(options.only)
    if not published("best"):
        run({"best": ("best", [])}, data)
    whole, summary = result("best")
    earlier = before("curve", summarise(whole), "points", "all", "phantoms")
    parts = points_of(only)
    if earlier and only != list(EPOCHS):
        del parts[0]
    else:
        result("quex")  # before hours of work, not after them
    new = {name: study for point in parts.values() for name, study in point.items()}
    run({name: study for name, study in new.items() if name != "best"}, data)
    command = [sys.executable, "-m", "cxrseg.cli", "evaluate", "default", "--on", f"covid_qu_ex:{data}"]
    subprocess.run(command, check=True)
    tested = pd.read_csv(paths.external("default", Path(data).stem) / "cases.csv", dtype={"case_id": str})
    # The same archive, masks and pixels, by another way: these names do mean the same cases.
    default = tested[tested["case_id"].isin(whole["case_id"])].assign(dataset=whole["dataset"].iloc[0])
    points = earlier.get("points", {}) | {"0": {"phantoms": summarise(default)}}
    minus_paper = earlier.get("minus_paper", {})
    for cases, (phantoms, scratch) in parts.items():
        rows, random = result(phantoms)[0], result(scratch)[0]
        points[str(cases or "all")] = {
            "phantoms": entry(phantoms),
            "scratch": entry(scratch),
            "phantoms_minus_default": difference(rows, default),
            "phantoms_minus_scratch": difference(rows, random),
        }
        minus_paper.pop(str(cases or "all"), None)
        if known("quex"):
            minus_paper[str(cases or "all")] = difference(rows, result("quex")[0])
    numbers = [cases for cases in EPOCHS if str(cases) in points]
    part = "" if numbers == list(EPOCHS) else " --only " + " ".join(map(str, numbers))
    content = {
        "command": f"python benchmarks/curve.py --data {Path(data).name}{part}",
        "n_cases": len(whole),
        "points": {name: points[name] for name in ("0", *map(str, numbers), "all")},
        "paper": entry("quex") if known("quex") else earlier["paper"],
        "minus_paper": minus_paper,
        "epochs": {str(cases): EPOCHS[cases] for cases in numbers},
        "dataset_fingerprint": summary["provenance"]["dataset_fingerprint"],
        "provenance": runs.provenance(),
    }
    runs.write_summary(paths.published() / "curve.json", content)
    for cases, point in points.items():
        print(cases, {start: round(row["mean"], 4) for start, row in point.items() if "mean" in row})


if __name__ == "__main__":
    main()
