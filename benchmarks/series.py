"""Run variants of a study on the same cases and folds, and hold each against one of them, case by case."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
from zero_shot import summarise

from cxrseg import compare, paths, runs, stats

MEASURES = ("dice", "hd95_px", "nsd_2px")
"""Columns of ``cases.csv`` that are compared."""


def variant(study: str, change: str) -> str:
    """Return the name of the run of a study with one change, named in words."""
    return re.sub(r"\W+", "-", f"{study} {change}")


def run(name: str, study: str, data: str, changes: list[str] = ()) -> None:
    """Bring one run up to date; what is done already is not done again."""
    command = [sys.executable, "-m", "cxrseg.cli", "run", study, "--name", name]
    command += [word for change in changes for word in ("--set", change)]
    print(f"== {name}: {' '.join(changes) or 'as it is'}", flush=True)
    if subprocess.run(command + (["--data", data] if data else [])).returncode:
        sys.exit(f"run {name!r} failed")


def rescore(name: str, source: str, study: str, data: str, changes: list[str]) -> None:
    """Bring a run up to date that has the networks of another, and scores them otherwise."""
    folder, partial = paths.run(name), paths.run(f"{name}.partial")
    if not folder.exists():
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(paths.run(source), partial)
        # Of copies Snakemake does not know with what scoring they were made: none may lie there.
        for scored in [*partial.glob("*.*"), *partial.glob("notebooks/0[34]-*")]:
            if scored.is_file() and scored.name != "study.yml":
                scored.unlink()
        partial.rename(folder)
    run(name, study, data, changes)


def difference(a: pd.DataFrame, b: pd.DataFrame, measure: str = "dice") -> dict:
    """Compare two tables on the cases that both scored, a minus b."""
    common = compare.shared(a, b)
    if len(common) < 2:
        sys.exit("two runs have no cases in common: run them again with one --data")
    return stats.paired(a.set_index("case_id")[measure][common], b.set_index("case_id")[measure][common])


def entry(name: str, reference: str = "") -> dict:
    """Return what a page needs of one run: scores, size, seconds; and its differences from the reference."""
    rows = compare.cases(name)
    records = [json.loads(file.read_text()) for file in sorted(paths.run(name).glob("fold-*/train.json"))]
    content = {
        **summarise(rows),
        "hd95_px": stats.summarise(rows["hd95_px"]),
        "nsd_2px": stats.summarise(rows["nsd_2px"]),
        "n_parameters": records[0]["n_parameters"],
        "seconds_per_fold": float(np.mean([record["seconds"] for record in records])),
        "commit": runs.summary(name)["provenance"]["commit"],
    }
    if reference and reference != name:
        base = compare.cases(reference)
        content["difference"] = {measure: difference(rows, base, measure) for measure in MEASURES}
    return content
