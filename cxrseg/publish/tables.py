"""Rows of published tables: the scores of a run, and its differences from another on the same cases."""

import fcntl
import hashlib
import math
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t as student

from cxrseg import models, paths, runs
from cxrseg.config import DataConfig
from cxrseg.data.sources import find_cases
from cxrseg.evaluate import compare, stats
from cxrseg.evaluate.external import evaluate_external
from cxrseg.publish.experiments import Experiment, source

MEASURES = ("dice", "hd95_px", "nsd_2px")
"""Columns of ``cases.csv`` that are compared."""

COLUMNS = ["case_id", "label", "structure", "dice", "hd95_px", "nsd_2px", "truth_pixels", "predicted_pixels"]
"""Columns of ``cases.csv`` that are published."""

DECISION = {"development": 300, "jsrt": 60}
"""Number of radiographs of a set by which the phantoms were steered."""

SIZE = {"development": 1500, "jsrt": 246, "confirmation": 1000}
"""Number of radiographs of the sets: with others, other ones would be drawn."""


def summarise(rows: pd.DataFrame) -> dict:
    """Summarise the Dice of cases overall and by class, with the share below 0.8 and the median ratio of areas."""
    return {
        **stats.describe(rows["dice"]),
        "below_080": float((rows["dice"] < 0.8).mean()),
        "area_ratio": float((rows["predicted_pixels"] / rows["truth_pixels"]).median()),
        "classes": {label: stats.describe(part["dice"]) for label, part in rows.groupby("label")},
    }


def difference(a: pd.DataFrame, b: pd.DataFrame, measure: str = "dice") -> dict:
    """Return the paired difference, a minus b, on the cases that both tables share.

    Raises
    ------
    ValueError
        They have fewer than two cases in common.
    """
    common = compare.shared(a, b)
    if len(common) < 2:
        raise ValueError("two runs have no cases in common: they were not made from one set")
    return stats.paired(a.set_index("case_id")[measure][common], b.set_index("case_id")[measure][common])


def row(run: str, reference: str = "") -> dict:
    """Return scores, size and training time of a run, and its differences from another run."""
    cases, summary = compare.cases(run), runs.summary(run)
    content = {
        **summarise(cases),
        **{measure: stats.describe(cases[measure]) for measure in MEASURES[1:]},
        "n_parameters": summary["n_parameters"],
        "seconds_per_fold": float(np.mean([fold["seconds"] for fold in summary["provenance"]["training"]])),
    }
    if reference and reference != run:
        base = compare.cases(reference)
        content["difference"] = {measure: difference(cases, base, measure) for measure in MEASURES}
    return content


def arithmetic(run: str) -> str:
    """Return the backend and the precision of a run."""
    provenance = runs.summary(run)["provenance"]
    return f"{provenance['precision']} by {provenance['backend']}"


def rows(experiment: Experiment) -> dict[str, dict]:
    """Return a row for each run of an experiment, with its differences from the reference.

    In ``also`` is the difference of the Dice from another run.
    """
    reference = experiment.runs[experiment.reference].run
    found = {label: row(run.run, reference) for label, run in experiment.runs.items()}
    for label, run in experiment.runs.items():
        if run.also:
            found[label]["also"] = difference(compare.cases(run.run), compare.cases(experiment.runs[run.also].run))
    return found


def chance(means: list[float]) -> dict:
    """Estimate how much the mean Dice varies by chance between trainings that differ only in their seed.

    Returns
    -------
    dict
        ``means``. ``sd``, their standard deviation. ``least_difference``, the difference between two trainings that
        chance alone exceeds in one of twenty comparisons, by Student's t distribution with n - 1 degrees of freedom.
    """
    sd, n = float(np.std(means, ddof=1)), len(means)
    return {"means": means, "sd": sd, "least_difference": float(student.ppf(0.975, n - 1)) * sd * math.sqrt(2)}


def scored_on(experiment: Experiment, name: str, run: str = models.DEFAULT) -> pd.DataFrame:
    """Score a run, or the default model, on a set, and return a row per case and structure.

    Raises
    ------
    ValueError
        A case cannot be read, or is one that the run may have learnt from.
    """
    place = experiment.sets[name]
    folder = paths.external(run, paths.dataset_name(place))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / ".lock", "w") as lock:  # several experiments score the default model
        fcntl.flock(lock, fcntl.LOCK_EX)
        summary = evaluate_external(run, source(name), place)
        rows = pd.read_csv(folder / "cases.csv", dtype={"case_id": str}, keep_default_na=False, na_values=[""])
    if summary["refused"] or summary["own"] or rows["case_id"].nunique() != SIZE[name]:
        raise ValueError(
            f"{place}: expected {SIZE[name]:,} cases, of which {run} knows none; got {rows['case_id'].nunique():,}, "
            f"{len(summary['own'])} known and {len(summary['refused'])} unreadable"
        )
    return rows


def listed(experiment: Experiment, name: str) -> list:
    """List the cases of a set."""
    return find_cases(DataConfig(source=source(name), path=str(experiment.sets[name])))


def divided(experiment: Experiment, name: str) -> tuple[list, list]:
    """List the cases of a set by which the phantoms were steered, and the others."""
    cases = listed(experiment, name)
    steered = decision(name, [case.case_id for case in cases])
    return [case for case in cases if case.case_id in steered], [case for case in cases if case.case_id not in steered]


def decision(name: str, case_ids: Iterable[str]) -> Collection[str]:
    """Return the cases of a set by which the phantoms were steered.

    Of the development set they were drawn with seed 300 from the sorted names. Of JSRT they are the first by the
    SHA-256 of the names of their files.

    Raises
    ------
    ValueError
        There are more or fewer cases than were drawn from.
    """
    names = sorted(case_ids)
    if len(names) != SIZE[name]:
        raise ValueError(f"the decision cases were drawn from {SIZE[name]:,} cases of {name}: got {len(names):,}")
    if name == "jsrt":
        return set(sorted(names, key=lambda one: hashlib.sha256(Path(one).stem.encode()).hexdigest())[: DECISION[name]])
    return {names[k] for k in np.random.default_rng(300).choice(len(names), DECISION[name], replace=False)}
