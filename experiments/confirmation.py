"""Score what was decided on the development set on radiographs that nobody had looked at."""

import numpy as np
import pandas as pd

from cxrseg.data.cases import Case
from cxrseg.data.duplicates import describe, near_duplicates
from cxrseg.evaluate import compare
from cxrseg.parallel import starmap
from cxrseg.publish.experiments import Experiment
from cxrseg.publish.tables import difference, listed, row, scored_on, summarise

CROSS_VALIDATED = ("paper", "best")


def measure(experiment: Experiment) -> tuple[dict, pd.DataFrame]:
    """Return the scores of four methods on the confirmation set with their paired differences, and those of each case.

    The paper's recipe and `best` are cross-validated on a sample that is made up as RSUA is; the default model and
    `best`, trained on the development set, are scored on all cases.
    """
    content: dict = {name: row(experiment.runs[name].run) for name in CROSS_VALIDATED}
    tables = methods(experiment)
    content |= {name: summarise(tables[name]) for name in ("default", "development")}
    content["default_on_the_sample"] = summarise(tables["default"].query("case_id in @tables['best'].case_id"))
    pairs = {
        "best_minus_paper": ("best", "paper"),
        "default_minus_paper": ("default", "paper"),
        "best_minus_default": ("best", "default"),
        "development_minus_default": ("development", "default"),
    }
    content |= {name: difference(tables[a], tables[b]) for name, (a, b) in pairs.items()}
    content["in_both_sets"] = in_both(listed(experiment, "development"), listed(experiment, "confirmation"))
    dice = {name: rows.set_index("case_id")["dice"] for name, rows in tables.items()}
    labels = tables["default"].set_index("case_id")["label"]
    return content, pd.DataFrame({"label": labels, **dice}).rename_axis("case_id").reset_index()


def methods(experiment: Experiment) -> dict[str, pd.DataFrame]:
    """Return the scored cases of each method."""
    tables = {name: compare.cases(experiment.runs[name].run) for name in CROSS_VALIDATED}
    for name, run in (("default", "default"), ("development", experiment.runs["development"].run)):
        rows = scored_on(experiment, "confirmation", run)
        tables[name] = rows[rows["structure"] == "lungs"].assign(dataset=tables["best"]["dataset"].iloc[0])
    return tables


def in_both(development: list[Case], confirmation: list[Case]) -> int:
    """Return how many pairs of radiographs, one of each set, show the same film."""
    details = starmap(_details, ((case,) for case in (*development, *confirmation)))
    coarse, fine = (np.stack(scale) for scale in zip(*details, strict=True))
    return sum(i < len(development) <= j for i, j, _ in near_duplicates(coarse, fine))


def _details(case: Case) -> tuple[np.ndarray, np.ndarray]:
    return describe(case.image())
