"""How many patients does it take? The study `best` with few and with many, from phantoms and from random weights.

    python benchmarks/curve.py --data A.zip

All on the cases and folds of the study `quex`, every case tested once, beside the paper's recipe. Without a patient,
the score is that of the default model on the same cases. The run `quex` must be there. Interrupted, it goes on where
it was.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd
from ablation import RANDOM, SCRATCH
from series import difference, entry, run, variant
from zero_shot import summarise

from cxrseg import compare, paths, runs

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
    paper = compare.cases("quex")
    run({name: study for point in points_of(only).values() for name, study in point.items()}, data)
    command = [sys.executable, "-m", "cxrseg.cli", "evaluate", "default", "--on", f"covid_qu_ex:{data}"]
    subprocess.run(command, check=True)
    tested = pd.read_csv(paths.external("default", Path(data).stem) / "cases.csv", dtype={"case_id": str})
    whole = compare.cases("best")
    # The same archive, masks and pixels, by another way: these names do mean the same cases.
    default = tested[tested["case_id"].isin(whole["case_id"])].assign(dataset=whole["dataset"].iloc[0])
    points = {"0": {"phantoms": summarise(default)}}
    starts = {}
    for cases, (phantoms, scratch) in points_of(only).items():
        starts[cases] = phantoms
        points[str(cases or "all")] = {
            "phantoms": entry(phantoms),
            "scratch": entry(scratch),
            "phantoms_minus_default": difference(compare.cases(phantoms), default),
            "phantoms_minus_scratch": difference(compare.cases(phantoms), compare.cases(scratch)),
        }
    part = "" if only == list(EPOCHS) else " --only " + " ".join(map(str, only))
    content = {
        "command": f"python benchmarks/curve.py --data {Path(data).name}{part}",
        "n_cases": len(whole),
        "points": points,
        "paper": entry("quex"),
        "minus_paper": {str(cases or "all"): difference(compare.cases(name), paper) for cases, name in starts.items()},
        "epochs": {str(cases): EPOCHS[cases] for cases in only},
        "dataset_fingerprint": runs.summary("best")["provenance"]["dataset_fingerprint"],
        "provenance": runs.provenance(),
    }
    runs.write_summary(paths.published() / "curve.json", content)
    for cases, point in points.items():
        print(cases, {start: round(row["mean"], 4) for start, row in point.items() if "mean" in row})


if __name__ == "__main__":
    main()
