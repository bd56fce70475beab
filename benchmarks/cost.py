"""Compare the training cost of the study `best` with that of the paper's recipe, training a few steps of each by turns.

The time per image is measured by turns, so that other load on the machine slows all. The runs give the number of
training images, and the epoch in which `best` first reaches the final validation Dice of the paper's recipe. The cost
of training on phantoms, once for all runs that start from them, is reported separately.
"""

import json
import time
from collections.abc import Callable
from itertools import islice

import numpy as np
import pandas as pd
from rounds import alternate, ratio, spread

from cxrseg import paths, runs
from cxrseg.data.dataset import Dataset
from cxrseg.data.split import split
from cxrseg.models import outputs
from cxrseg.publish.experiments import Experiment
from cxrseg.train.batches import Batches, ahead
from cxrseg.train.compile import compile_network


def measure(experiment: Experiment) -> dict:
    """Return the training time of `best` over that of the paper's recipe, without and with that on phantoms.

    Raises
    ------
    ValueError
        The runs were trained in different precision, or a fold of `best` never reached the Dice of the paper's recipe.
    """
    name = {label: run.run for label, run in experiment.runs.items()}
    records = {label: training(run) for label, run in name.items()}
    if len(precision := {fold["precision"] for folds in records.values() for fold in folds}) > 1:
        raise ValueError(f"the runs were trained in {', '.join(sorted(precision))}: expected one precision")

    steps = experiment.options["steps"]
    learners = {label: learner(name[label], n, *precision) for label, n in steps.items()}
    seconds = alternate(learners, experiment.options["rounds"])
    cheaper = ratio(seconds["best"], seconds["quex"])
    images = {label: np.mean([fold["images"] for fold in records[label]]) for label in steps}
    work = images["best"] / images["quex"]
    reached = []
    # The run of the paper's recipe may have fewer folds.
    for theirs, ours in zip(records["quex"], records["best"], strict=False):
        there = np.flatnonzero(ours["history"]["val_dice"] >= theirs["validation_dice"])
        if not len(there):
            raise ValueError(f"fold {ours['fold']} of best never reached the validation Dice of the paper's recipe")
        reached.append(int(there[0] + 1) * ours["n_training"] / theirs["images"])
    phantoms = float(np.median(seconds["phantom"]) * images["phantom"])
    papers = np.median(seconds["quex"]) * images["quex"]  # of one fold
    return {
        "milliseconds_per_image": {label: spread(1000 * np.array(values)) for label, values in seconds.items()},
        "images_per_fold": {label: records[label][0]["images"] for label in steps},
        "training_time_over_the_papers": {key: float(value * work) for key, value in cheaper.items()},
        "time_to_the_papers_dice_over_the_papers": {
            "median": float(np.median(reached) * cheaper["median"]),
            "slowest_fold": float(np.max(reached) * cheaper["median"]),
        },
        "phantoms_once_seconds": phantoms,
        "with_phantoms_over_the_papers": {
            label: float(cheaper["median"] * work + phantoms / (folds * papers))
            for label, folds in (("one_fold", 1), ("five_folds", 5))
        },
    }


def training(run: str) -> list[dict]:
    """Return the record of each fold of a run, with its ``history``, and the ``images`` of all its epochs together."""
    folds = []
    for folder in sorted(paths.run(run).glob("fold-*")):
        record, history = json.loads((folder / "train.json").read_text()), pd.read_csv(folder / "history.csv")
        folds.append({**record, "history": history, "images": record["n_training"] * len(history)})
    return folds


def learner(run: str, n_steps: int, precision: str) -> Callable[[], float]:
    """Return a function that runs some training steps of a run and returns the seconds per image."""
    config, dataset = runs.study(run).train, Dataset.load(paths.data(run))
    rows, _, _ = split(dataset.cases, 0, config.validation_share, config.seed)
    masks = dataset.masks[..., -len(outputs(dataset.structures)) :]
    model = compile_network(config, masks.shape[-1], precision, 100)
    batches = Batches(dataset.images, masks, rows, config, epoch=0)

    def steps() -> float:
        began = time.monotonic()
        for images, targets in islice(ahead(batches), n_steps):
            model.train_on_batch(images, targets)
        return (time.monotonic() - began) / (n_steps * config.batch_size)

    return steps
