"""Compare runs with a reference run on the same cases and folds: one change at a time, or several sizes."""

import numpy as np
import pandas as pd

from cxrseg import paths, runs
from cxrseg.config import EvaluateConfig
from cxrseg.data.dataset import Dataset
from cxrseg.evaluate.masks import to_masks
from cxrseg.evaluate.scores import score
from cxrseg.publish.experiments import Experiment
from cxrseg.publish.tables import chance, difference, rows, summarise


def measure(experiment: Experiment) -> dict:
    """Return a row per run, one per changed scoring of the reference, and what seeds alone change."""
    content: dict = {"rows": rows(experiment)}
    for label, changes in experiment.options.get("rescored", {}).items():
        content["rows"][label] = rescored(experiment.runs[experiment.reference].run, EvaluateConfig(**changes))
    if seeds := experiment.options.get("seeds"):
        content["chance"] = chance([content["rows"][label]["mean"] for label in seeds])
    return content


def rescored(run: str, config: EvaluateConfig) -> dict:
    """Return the row of a run whose stored predictions are cut in another way."""
    cases, base = (cut(run, one).assign(dataset=run) for one in (config, runs.study(run).evaluate))
    return {**summarise(cases), "difference": {"dice": difference(cases, base)}}


def cut(run: str, config: EvaluateConfig) -> pd.DataFrame:
    """Score the stored predictions of a run with the masks that a configuration cuts out of them."""
    dataset, levels = Dataset.load(paths.data(run)), np.load(paths.run(run) / "predictions.npy", mmap_mode="r")
    order = np.argsort(dataset.cases["fold"], kind="stable")  # predictions come fold after fold
    identities = dataset.cases[["case_id", "label", "fold"]].to_dict("records")
    masks = (to_masks(one, config.threshold, config.pieces, dataset.structures) for one in levels)
    tasks = ((identities[row], dataset.masks[row] > 0, mask) for row, mask in zip(order, masks, strict=True))
    return score(tasks, dataset.structures)
