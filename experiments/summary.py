"""Publish the scores of one run, in all and case by case."""

import pandas as pd

from cxrseg import paths, runs
from cxrseg.publish.experiments import Experiment
from cxrseg.publish.tables import COLUMNS


def measure(experiment: Experiment) -> tuple[dict, pd.DataFrame]:
    """Return the summary of the run, and the scores of each case, so that others can compare theirs case by case."""
    (run,) = experiment.runs.values()
    rows = pd.read_csv(paths.run(run.run) / "cases.csv", dtype={"case_id": str}, keep_default_na=False)
    return runs.summary(run.run), rows[COLUMNS]
