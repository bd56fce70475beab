"""Measure how much a planted data leak between training and test cases raises the Dice.

    python experiments/leakage.py --data covid-qu-ex-1500.zip

Each seed trains two networks on one split. *Clean* uses the training folds unchanged. *Leaky* replaces as many
training cases as there are test cases by copies of the test cases, as in collections merged without a check. The
copies are shifted by up to 5% of the side and differ in contrast and brightness. The number of training cases, the
recipe and the test cases stay the same. Without ``--data`` the radiographs are phantoms. The script also counts
the copies that `cxrseg.data.duplicates` finds, and writes ``book/published/leakage.json``.

``--cases``, ``--size``, ``--base-filters``, ``--epochs`` and ``--seeds`` set the size of the experiment. The
defaults take some minutes on two cores.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from cxrseg import provenance
from cxrseg.data.dataset import Dataset
from cxrseg.evaluate.predict import load_keras, predict
from cxrseg.files import write_json

import cxrseg  # isort: skip  # noqa: F401  before Keras: it tells TensorFlow how to compute
import numpy as np

from cxrseg import paths
from cxrseg.config import DataConfig, TrainConfig
from cxrseg.data.duplicates import describe, near_duplicates
from cxrseg.data.prepare import prepare
from cxrseg.data.split import split
from cxrseg.evaluate import stats
from cxrseg.evaluate.metrics import overlap
from cxrseg.train.fold import train

TESTED = 0
"""The test fold, whose cases leak into the training."""
SHIFT, GAIN, OFFSET = 0.05, (0.7, 1.4), (-25, 25)  # share of the side; factor around grey 128; grey levels


def altered(image: np.ndarray, masks: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a copy of one radiograph, altered as it might be in another collection."""
    reach = round(SHIFT * len(image))
    rows, columns = (np.clip(np.arange(len(image)) + rng.integers(-reach, reach + 1), 0, len(image) - 1) for _ in "yx")
    place = np.ix_(rows, columns)
    grey = (image[place] - 128.0) * rng.uniform(*GAIN) + 128 + rng.uniform(*OFFSET)
    return np.clip(grey, 0, 255).astype(np.uint8), masks[place]


def plant(clean: Path, leaky: Path, seed: int) -> dict:
    """Copy a dataset, replace training cases by altered test cases, and count those that the search finds."""
    shutil.copytree(clean, leaky)
    dataset = Dataset.load(clean)
    images, masks, cases = dataset.images.copy(), dataset.masks.copy(), dataset.cases
    rng = np.random.default_rng(seed)
    tested = np.flatnonzero(cases["fold"] == TESTED)
    # Validation cases are not replaced, because the leak must reach the gradient.
    training = split(cases, TESTED, TrainConfig().validation_share, seed)[0]
    chosen = rng.choice(training, len(tested), replace=False)
    for copy, original in zip(chosen, tested, strict=True):
        images[copy], masks[copy] = altered(images[original], masks[original], rng)
    np.save(leaky / "images.npy", images)
    np.save(leaky / "masks.npy", masks)
    (leaky / "dataset.json").write_text(json.dumps(dataset.record | {"fingerprint": f"leaky-{seed}"}))
    coarse, fine = map(np.array, zip(*map(describe, images), strict=True))
    pairs = {(i, j) for i, j, _ in near_duplicates(coarse, fine)}
    found = sum(tuple(sorted(pair)) in pairs for pair in zip(chosen.tolist(), tested.tolist(), strict=True))
    return {"planted": len(tested), "found": found, "training_cases": len(training)}


def dice(model: Path, data: Path) -> np.ndarray:
    """Return the Dice of a model for every test case of a prepared dataset."""
    dataset = Dataset.load(data)
    images, masks, cases = dataset.images, dataset.masks, dataset.cases
    network = load_keras([model / "model.keras"], ["lungs"])
    tested = np.flatnonzero(cases["fold"] == TESTED)
    predicted = np.concatenate([predict(network, images[tested[s : s + 16]]) for s in range(0, len(tested), 16)])
    pairs = zip(masks[tested, ..., 0] > 0, predicted[..., 0] >= 127.5, strict=True)
    return np.array([overlap(*pair)["dice"] for pair in pairs])


def measure(data: DataConfig, recipe: dict, seeds: int, folder: Path) -> dict:
    """Return the Dice with and without the leak, their paired difference, and the number of copies found."""
    prepare(data, folder / "clean")
    scores, found = {"clean": [], "leaky": []}, []
    for seed in range(1, seeds + 1):
        config = TrainConfig(seed=seed, **recipe)
        found.append(plant(folder / "clean", folder / f"leaky-{seed}", seed))
        for arm, source in (("clean", folder / "clean"), ("leaky", folder / f"leaky-{seed}")):
            train(config, source, folder / f"{arm}-{seed}-network", TESTED)
            scores[arm].append(dice(folder / f"{arm}-{seed}-network", folder / "clean"))
            print(f"seed {seed}, {arm}: mean Dice {scores[arm][-1].mean():.4f}", flush=True)
    # The interval is over cases, so each case enters once, with the mean over seeds.
    clean, leaky = (np.mean(scores[arm], axis=0) for arm in ("clean", "leaky"))
    return {
        "clean": stats.describe(clean),
        "leaky": stats.describe(leaky),
        "difference": stats.paired(leaky, clean),
        "planted": sum(row["planted"] for row in found),
        "found": sum(row["found"] for row in found),
        "copies_share": found[0]["planted"] / found[0]["training_cases"],
        "seeds": seeds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="", help="COVID-QU-Ex, ZIP or folder; without it, phantoms")
    parser.add_argument("--cases", type=int, default=240, help="radiographs, a third of each class; a fifth is tested")
    parser.add_argument("--size", type=int, default=128, help="side of the images, pixels")
    parser.add_argument("--base-filters", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    if options.data and not Path(options.data).exists():
        parser.error(f"--data {options.data}: no such file; it names the ZIP or folder of COVID-QU-Ex")
    data = DataConfig(
        source="covid_qu_ex" if options.data else "phantom",
        path=options.data,
        cases_per_class=dict.fromkeys(("COVID", "Non-COVID", "Normal"), options.cases // 3),
        image_size=options.size,
    )
    recipe = {
        "input_size": options.size,
        "base_filters": options.base_filters,
        "epochs": options.epochs,
        "patience": 0,
        "batch_norm": True,
        "loss": "cross_entropy_dice",
        "schedule": "cosine",
        "learning_rate": 2e-3,
    }
    with tempfile.TemporaryDirectory() as folder:
        result = measure(data, recipe, options.seeds, Path(folder))
    arguments = {name: value for name, value in vars(options).items() if value != parser.get_default(name)}
    if options.data:
        arguments["data"] = Path(options.data).name
    command = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in arguments.items())
    target = paths.published() / "leakage.json"
    content = {
        "command": f"python experiments/leakage.py {command}".strip(),
        "source": data.source,
        "n_cases": 3 * (options.cases // 3),
        **result,
        "parameters": {"image_size": options.size, "shift": SHIFT, "gain": GAIN, "offset": OFFSET, "train": recipe},
        "provenance": provenance.record(),
    }
    write_json(target, content)
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
