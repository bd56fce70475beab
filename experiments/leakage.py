"""Measure how much a planted data leak between training and test cases raises the Dice.

Each seed trains two networks on one split. *Clean* uses the training folds unchanged. *Leaky* replaces as many training
cases as there are test cases by copies of the test cases, as in collections merged without a check: shifted, and with
other contrast and brightness. The number of training cases, the recipe and the test cases stay the same.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from cxrseg.config import DataConfig, TrainConfig
from cxrseg.data.dataset import Dataset
from cxrseg.data.duplicates import describe, near_duplicates
from cxrseg.data.prepare import prepare
from cxrseg.data.split import split
from cxrseg.evaluate import stats
from cxrseg.evaluate.metrics import overlap
from cxrseg.evaluate.predict import load_keras, predict
from cxrseg.publish.experiments import Experiment, source
from cxrseg.train.fold import train

TESTED = 0
"""The test fold, whose cases leak into the training."""


def measure(experiment: Experiment) -> dict:
    """Return the Dice with and without the leak, their paired difference, and how many copies the search finds."""
    options, place = experiment.options, str(experiment.sets["development"])
    data = {"cases_per_class": options["cases_per_class"], "image_size": options["train"]["input_size"]}
    scores, found = {"clean": [], "leaky": []}, []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        cases = prepare(DataConfig(source=source("development"), path=place, **data), folder / "clean").cases
        for seed in options["seeds"]:
            config = TrainConfig(seed=seed, **options["train"])
            found.append(plant(folder / "clean", folder / "leaky", config, options["copies"]))
            for arm in scores:
                train(config, folder / arm, folder / f"{arm}-{seed}", TESTED)
                scores[arm].append(dice(folder / f"{arm}-{seed}", folder / "clean"))
    # The interval is over cases, so each case enters once, with the mean over seeds.
    clean, leaky = (np.mean(scores[arm], axis=0) for arm in scores)
    return {
        "n_cases": len(cases),
        "clean": stats.describe(clean),
        "leaky": stats.describe(leaky),
        "difference": stats.paired(leaky, clean),
        "planted": sum(row["planted"] for row in found),
        "found": sum(row["found"] for row in found),
        "copies_share": found[0]["planted"] / found[0]["training_cases"],
        "seeds": len(found),
        "parameters": options,
    }


def plant(clean: Path, leaky: Path, config: TrainConfig, copies: dict) -> dict:
    """Copy a dataset, replace training cases by altered test cases, and count those that the search finds."""
    shutil.copytree(clean, leaky, dirs_exist_ok=True)
    dataset = Dataset.load(clean)
    images, masks, cases = dataset.images.copy(), dataset.masks.copy(), dataset.cases
    rng, tested = np.random.default_rng(config.seed), np.flatnonzero(cases["fold"] == TESTED)
    # Validation cases are not replaced, because the leak must reach the gradient.
    training = split(cases, TESTED, config.validation_share, config.seed)[0]
    chosen = rng.choice(training, len(tested), replace=False)
    for copy, original in zip(chosen, tested, strict=True):
        images[copy], masks[copy] = altered(images[original], masks[original], rng, **copies)
    np.save(leaky / "images.npy", images)
    np.save(leaky / "masks.npy", masks)
    pairs = {(i, j) for i, j, _ in near_duplicates(*map(np.array, zip(*map(describe, images), strict=True)))}
    found = sum(tuple(sorted(pair)) in pairs for pair in zip(chosen.tolist(), tested.tolist(), strict=True))
    return {"planted": len(tested), "found": found, "training_cases": len(training)}


def altered(image, masks, rng: np.random.Generator, shift: float, gain, offset) -> tuple[np.ndarray, np.ndarray]:
    """Return a copy of one radiograph and its masks, altered as it might be in another collection."""
    reach, side = round(shift * len(image)), np.arange(len(image))
    place = np.ix_(*(np.clip(side + rng.integers(-reach, reach + 1), 0, len(image) - 1) for _ in "yx"))
    grey = (image[place] - 128.0) * rng.uniform(*gain) + 128 + rng.uniform(*offset)
    return np.clip(grey, 0, 255).astype(np.uint8), masks[place]


def dice(network: Path, data: Path) -> list[float]:
    """Return the Dice of a network for every test case of a prepared dataset."""
    dataset = Dataset.load(data)
    tested = np.flatnonzero(dataset.cases["fold"] == TESTED)
    levels = predict(load_keras([network / "model.keras"], ["lungs"]), dataset.images[tested])[..., 0]
    return [overlap(*pair)["dice"] for pair in zip(dataset.masks[tested, ..., 0] > 0, levels >= 127.5, strict=True)]
