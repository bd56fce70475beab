"""Score the default model, which has seen no patient, on the development set."""

import json

import pandas as pd

from cxrseg import paths
from cxrseg.evaluate import compare
from cxrseg.publish.experiments import Experiment
from cxrseg.publish.tables import COLUMNS, decision, scored_on, summarise


def measure(experiment: Experiment) -> tuple[dict, pd.DataFrame]:
    """Summarise the cases by which the phantoms were steered, the others, and those on which `best` is cross-validated.

    The run of the study `phantom` says how much such a network learns from. The scores of each case come second.
    """
    rows = scored_on(experiment, "development")
    rows = rows[rows["structure"] == "lungs"]
    steered = rows["case_id"].isin(decision("development", rows["case_id"]))
    sample = rows["case_id"].isin(compare.cases(experiment.runs["best"].run)["case_id"])
    groups = {"decision": steered, "others": ~steered, "sample": sample}
    record = json.loads((paths.fold(experiment.runs["phantom"].run, 0) / "train.json").read_text())
    facts = {"phantoms": record["n_training"], "epochs": record["epochs"], "parameters": record["n_parameters"]}
    return facts | {name: summarise(rows[part]) for name, part in groups.items()}, rows[COLUMNS]
