"""Run variants of a study on the same cases and folds, and compare each with a reference run case by case."""

import re
import shutil
import sys
from collections.abc import Collection
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from zero_shot import summarise

from cxrseg import paths, runs, workflow
from cxrseg.evaluate import compare, stats
from cxrseg.studies import read_study

MEASURES = ("dice", "hd95_px", "nsd_2px")
"""Columns of ``cases.csv`` to compare."""


def variant(study: str, change: str) -> str:
    """Return the run name for a study with one change, which is described in words."""
    return re.sub(r"\W+", "-", f"{study} {change}")


def run(plan: dict[str, tuple[str, list[str]]], data: str) -> None:
    """Complete all runs in one call, so that their folds share the machine. Finished parts are not run again.

    Parameters
    ----------
    plan : dict of str to (str, list of str)
        The study of each run and its overrides, by the name of the run.
    data : str
        Path of COVID-QU-Ex, for the studies that train on it.
    """
    if data and not Path(data).exists():
        sys.exit(f"error: --data {data}: no such file or folder")
    backend = keras.backend.backend()
    done = [name for name in plan if (paths.run(name) / "summary.json").is_file()]
    other = [name for name in done if arithmetic(name)["backend"] != backend]
    if other:
        sys.exit(
            f"error: by another backend than {backend}: the runs {', '.join(other)}. They would not be compared with "
            "new ones: remove them, or say in KERAS_BACKEND what computed them"
        )
    studies = {}
    for name, (study, changes) in plan.items():
        content = read_study(paths.study_file(study), changes)
        if content.data.source != "phantom":
            path = {"path": str(Path(data).resolve())}
            content = content.model_copy(update={"data": content.data.model_copy(update=path)})
        studies[name] = content
    try:
        runs.start(studies)
        workflow.execute(list(studies), "all")
    except (ValueError, RuntimeError) as error:
        sys.exit(f"error: {error}")


def rescore(name: str, source: str, study: str, data: str, changes: list[str]) -> None:
    """Complete a run that reuses the networks of another run with a changed evaluation."""
    folds = [fold.name for fold in paths.run(source).glob("fold-*")]
    copy(name, source, "data", *folds, "notebooks")
    run({name: (study, changes)}, data)


def copy(name: str, source: str, *parts: str) -> None:
    """Start a run with copies of files and folders of another run, unless a run of this name exists."""
    folder, partial = paths.run(name), paths.run(f"{name}.partial")
    if not folder.exists():
        shutil.rmtree(partial, ignore_errors=True)
        for part in parts:
            (partial / part).parent.mkdir(parents=True, exist_ok=True)
            old, new = paths.run(source) / part, partial / part
            # Copies get a new date, because Snakemake can judge copied files only by date.
            shutil.copytree(old, new, copy_function=shutil.copy) if old.is_dir() else shutil.copy(old, new)
        # Copied evaluation notebooks are removed, because Snakemake cannot tell that their parameters differ.
        for scored in partial.glob("notebooks/0[34]-*"):
            scored.unlink()
        partial.rename(folder)


def difference(a: pd.DataFrame, b: pd.DataFrame, measure: str = "dice") -> dict:
    """Return the paired difference, a minus b, on the cases that both tables share."""
    common = compare.shared(a, b)
    if len(common) < 2:
        sys.exit("two runs have no cases in common: run them again with one --data")
    return stats.paired(a.set_index("case_id")[measure][common], b.set_index("case_id")[measure][common])


def arithmetic(name: str) -> dict:
    """Return the Keras backend and the precision of a run."""
    provenance = runs.summary(name)["provenance"]
    return {key: provenance[key] for key in ("backend", "precision")}


def command(script: str, data: str, name: str) -> str:
    """Return the command that reproduces the numbers of a script, with the backend of one of its runs."""
    backend = arithmetic(name)["backend"]
    prefix = "" if backend == "tensorflow" else f"KERAS_BACKEND={backend} "
    return f"{prefix}python experiments/{Path(script).name} --data {Path(data).name}"


def entry(name: str, reference: str = "", without: Collection[str] = ()) -> dict:
    """Return the scores, size and training time of one run, and its differences from a reference run.

    Parameters
    ----------
    name, reference : str
        Names of the runs. Without a reference, no differences are computed.
    without : collection of str
        The ``case_id`` of the cases to leave out.
    """
    rows, summary = compare.cases(name), runs.summary(name)
    rows = rows[~rows["case_id"].isin(without)]
    content = {
        **summarise(rows),
        "hd95_px": stats.describe(rows["hd95_px"]),
        "nsd_2px": stats.describe(rows["nsd_2px"]),
        "n_parameters": summary["n_parameters"],
        "seconds_per_fold": float(np.mean([fold["seconds"] for fold in summary["provenance"]["training"]])),
        "commit": summary["provenance"]["commit"],
        **arithmetic(name),
        "hardware": summary["provenance"]["hardware"],
    }
    if reference and reference != name:
        if arithmetic(name) != arithmetic(reference):
            sys.exit(
                f"runs {name!r} and {reference!r} were computed by {arithmetic(name)} and {arithmetic(reference)}: "
                "remove one of them, and run it again as the other"
            )
        base = compare.cases(reference)
        content["difference"] = {measure: difference(rows, base, measure) for measure in MEASURES}
    return content
