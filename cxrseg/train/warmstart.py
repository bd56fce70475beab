"""Warm start: initialise a network with the weights of another run that was not trained on the test cases."""

import hashlib

import keras
import pandas as pd

from cxrseg import models, paths
from cxrseg.data.dataset import Dataset, exists
from cxrseg.files import read_json


def start_from(model: keras.Model, run: str, fold: int, dataset: Dataset, tested: pd.DataFrame) -> str:
    """Load the weights of a run, or of ``default``, into `model` and return the SHA-256 digest of the weights file.

    By default the weights come from the run's first fold. If the run's dataset contains test cases of `model`, they
    come from the fold whose network was not trained on those cases. If the run segments other structures, or in another
    order, the output layer of `model` keeps its own weights.

    Parameters
    ----------
    model : keras.Model
    run : str
    fold : int
        The fold on which `model` will be tested.
    dataset : Dataset
        The dataset on which `model` will be trained.
    tested : DataFrame
        The cases of `dataset` in that fold, with the columns of ``cases.csv``.

    Raises
    ------
    FileNotFoundError
        The run has no such network.
    ValueError
        The run's network has another architecture, or each of its networks was trained on some of the test cases.
    """
    blind = _blind_fold(run, fold, dataset, tested)
    file = paths.fold(run, blind) / "model.keras" if blind else models.weights_file(run)
    if not file.is_file():
        raise FileNotFoundError(f"train.init: run {run!r} has no trained network ({file} is missing)")
    source = models.load(file)
    ours, theirs = ([tuple(w.shape) for w in network.weights] for network in (model, source))
    if ours[:-2] != theirs[:-2]:  # the last two are the kernel and bias of the output layer
        raise ValueError(
            f"train.init: the network of run {run!r} has {source.count_params():,} parameters, this one "
            f"{model.count_params():,}; give both the same base_filters, growth, depth, stride and batch_norm"
        )
    weights = source.get_weights()
    same = ours == theirs and _outputs(run) in (None, models.outputs(dataset.structures))
    model.set_weights(weights if same else weights[:-2] + model.get_weights()[-2:])
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _outputs(run: str) -> list[str] | None:
    """Return what the channels of a run's network are, or None if nothing says so."""
    if run == models.DEFAULT:
        return models.outputs(models.card().structures)
    return models.outputs(Dataset.load(paths.data(run)).structures) if exists(paths.data(run)) else None


def _blind_fold(run: str, fold: int, dataset: Dataset, tested: pd.DataFrame) -> int:
    """Return a fold of a run whose network was trained on none of the test cases."""
    if not exists(paths.data(run)):  # without the run's dataset, only its fingerprint can be compared
        record = paths.fold(run, 0) / "train.json"
        same = record.is_file() and read_json(record)["fingerprint"] == dataset.fingerprint
        return fold if same else 0
    theirs = Dataset.load(paths.data(run))
    cases = theirs.cases
    known = cases["sha256"].isin(tested["sha256"])
    # The size may differ, and with it that digest. Datasets of earlier versions have no other.
    if "original_sha256" in cases and "original_sha256" in tested:
        known |= cases["original_sha256"].isin(tested["original_sha256"])
    if _collection(theirs.record["parameters"]) == _collection(dataset.record["parameters"]):
        known |= cases["case_id"].isin(tested["case_id"])
    folds = cases["fold"][known].unique()
    if len(folds) > 1:  # the network of each fold was trained on all other folds
        raise ValueError(
            f"train.init: each network of run {run!r} has learnt from cases that this one would be tested on; "
            "start from a run on other radiographs, or on the same cases in the same folds"
        )
    return int(folds[0]) if len(folds) else 0


def _collection(data: dict) -> tuple:
    """Return a key; two datasets with equal keys use the same ``case_id`` for the same radiograph."""
    own = {"phantom": ("seed", "setting"), "folder": ("path",), "csv": ("path",)}.get(data["source"], ())
    return data["source"], *(data[key] for key in own)
