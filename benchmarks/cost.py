"""Compare the training cost of the study `best` with that of the paper's recipe, training a few steps of each by turns.

    cxrseg run quex --data A.zip
    cxrseg run best --data A.zip
    python benchmarks/cost.py

The time per image is measured by turns, so that other load on the machine slows both. The two runs give the number of
training images, and the epoch in which `best` first reaches the final validation Dice of the paper's recipe. The
one-off cost of training the default model on phantoms is reported separately.
"""

import json
import sys
import time
from itertools import islice

import numpy as np
import pandas as pd
from rounds import alternate, ratio, spread

from cxrseg import hardware, paths, provenance, runs
from cxrseg.data.dataset import Dataset
from cxrseg.data.split import split
from cxrseg.files import write_json
from cxrseg.train.batches import Batches, ahead
from cxrseg.train.compile import compile_network

ROUNDS, STEPS = 8, {"quex": 2, "best": 8}


def learner(name: str):
    """Return a function that runs some training steps of a run and returns the seconds per image."""
    config = runs.study(name).train
    dataset = Dataset.load(paths.data(name))
    pixels, masks, cases = dataset.images, dataset.masks, dataset.cases
    training, _, _ = split(cases, 0, config.validation_share, config.seed)
    model = compile_network(config, masks.shape[-1], hardware.native_precision(), 100)
    batches = Batches(pixels, masks, training, config, epoch=0)

    def steps() -> float:
        began = time.monotonic()
        for images, targets in islice(ahead(batches), STEPS[name]):
            model.train_on_batch(images, targets)
        return (time.monotonic() - began) / (STEPS[name] * config.batch_size)

    return steps


def images(name: str) -> list[dict]:
    """Return for each fold the images per epoch and in total, the history, and the Dice of the kept weights."""
    folds = []
    for folder in sorted(paths.run(name).glob("fold-*")):
        record = json.loads((folder / "train.json").read_text())
        history = pd.read_csv(folder / "history.csv")
        one = record["n_training"]
        folds.append({"epoch": one, "all": one * len(history), "history": history, "end": record["validation_dice"]})
    return folds


def main() -> None:
    """Write ``book/published/cost.json``."""
    seconds = alternate({name: learner(name) for name in STEPS}, ROUNDS)
    paper, best = images("quex"), images("best")
    reached = []
    # The run of the paper's recipe may have fewer folds.
    for theirs, ours in zip(paper, best, strict=False):
        there = np.flatnonzero(ours["history"]["val_dice"] >= theirs["end"])
        reached.append(int(there[0] + 1) * ours["epoch"] / theirs["all"] if len(there) else np.inf)
    cheaper = ratio(seconds["best"], seconds["quex"])
    work = np.mean([fold["all"] for fold in best]) / np.mean([fold["all"] for fold in paper])
    shipped = json.loads((paths.published() / "zero-shot.json").read_text())["training"]
    if (shipped["precision"], shipped["hardware"]["cpu"]) != (hardware.native_precision(), hardware.describe()["cpu"]):
        sys.exit("the default model learnt on another processor: run the study phantom here, ship it, then measure")
    phantoms = shipped["seconds"]
    papers = np.median(seconds["quex"]) * np.mean([fold["all"] for fold in paper])  # of one fold
    content = {
        "command": "python benchmarks/cost.py",
        "milliseconds_per_image": {name: spread(1000 * np.array(values)) for name, values in seconds.items()},
        "images_per_fold": {"quex": paper[0]["all"], "best": best[0]["all"]},
        "training_time_over_the_papers": {key: value * work for key, value in cheaper.items()},
        # The value is infinite if a fold never reached that Dice, and `write_json` then raises an error.
        "time_to_the_papers_dice_over_the_papers": {
            "median": float(np.median(reached) * cheaper["median"]),
            "slowest_fold": float(np.max(reached) * cheaper["median"]),
        },
        "phantoms_once_seconds": phantoms,
        # This is approximate, because the training on phantoms was timed on another day and not by turns.
        "with_phantoms_over_the_papers": {
            name: float(cheaper["median"] * work + phantoms / (folds * papers))
            for name, folds in (("one_fold", 1), ("five_folds", 5))
        },
        "provenance": provenance.record(),
    }
    write_json(paths.published() / "cost.json", content)
    print(json.dumps({key: content[key] for key in list(content)[1:-1]}, indent=1))


if __name__ == "__main__":
    main()
