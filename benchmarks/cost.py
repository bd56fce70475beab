"""What does learning cost in the study `best`, against the paper's recipe? Both learn by turns, some steps at a time.

    cxrseg run quex --data A.zip
    cxrseg run best --data A.zip
    python benchmarks/cost.py

The seconds of one image come from the turns, so that what slows the machine slows both; how many images each needed,
and when `best` first had the validation Dice at which the paper's recipe ended, come from the two runs. Apart from
that stands what the phantoms of the default model cost, once and for all.
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
    """Return a function that takes some steps of a run's training, and says how many seconds an image took."""
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
    """Return of each fold: images learnt from in an epoch and in all, the history, the Dice of the weights kept."""
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
    # Of the paper's recipe perhaps not all folds were run.
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
        # Infinite where a fold never reached it; the file refuses that.
        "time_to_the_papers_dice_over_the_papers": {
            "median": float(np.median(reached) * cheaper["median"]),
            "slowest_fold": float(np.max(reached) * cheaper["median"]),
        },
        "phantoms_once_seconds": phantoms,
        # They were learnt from on another day: nearly right, where all else is measured by turns.
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
