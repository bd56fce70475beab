"""Dice of the better recipe by the number of patients that it learns from, from phantoms and from random weights."""

from itertools import groupby

import numpy as np
import pandas as pd

from cxrseg import runs
from cxrseg.evaluate import compare
from cxrseg.publish.experiments import Experiment
from cxrseg.publish.tables import difference, scored_on, summarise


def measure(experiment: Experiment) -> dict:
    """Return the points of the curve, and how each differs from the paper's recipe.

    The label of a run names the number of patients, where it starts and the draw of the patients.
    """
    tables = {label: compare.cases(run.run) for label, run in experiment.runs.items()}
    paper = tables.pop(experiment.reference)
    default = scored_on(experiment, "development")
    default = default[(default["structure"] == "lungs") & default["case_id"].isin(paper["case_id"])]
    default = default.assign(dataset=paper["dataset"].iloc[0])
    points: dict = {"0": {"phantoms": summarise(default)}}
    minus_paper = {}
    for patients, labels in groupby(tables, lambda label: label.split()[0]):
        starts = {start: list(group) for start, group in groupby(labels, lambda label: label.split()[1])}
        drawn = {start: [tables[label] for label in group] for start, group in starts.items()}
        phantoms, scratch = (over_draws(drawn[start]) for start in ("phantoms", "scratch"))
        points[patients] = {
            **{start: point(draws) for start, draws in drawn.items()},
            "phantoms_minus_default": difference(phantoms, default),
            "phantoms_minus_scratch": difference(phantoms, scratch),
        }
        minus_paper[patients] = difference(phantoms, paper)
    epochs = {label.split()[0]: runs.study(experiment.runs[label].run).train.epochs for label in tables}
    return {
        "n_cases": len(paper), "points": points, "paper": summarise(paper), "minus_paper": minus_paper, "epochs": epochs
    }  # fmt: skip


def over_draws(draws: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the table of the first draw with the mean Dice of each case over all draws."""
    dice = pd.concat(draws).groupby("case_id", sort=False)["dice"].mean()
    return draws[0].assign(dice=dice[draws[0]["case_id"]].to_numpy())


def point(draws: list[pd.DataFrame]) -> dict:
    """Summarise the Dice of one or several draws; 5th percentile and share below 0.8 are means over the draws."""
    whole, each = summarise(over_draws(draws)), [summarise(draw) for draw in draws]
    means = {key: float(np.mean([one[key] for one in each])) for key in ("p5", "below_080")}
    return {"n": whole["n"], "mean": whole["mean"], "ci95": whole["ci95"], **means, "draws": [x["mean"] for x in each]}
