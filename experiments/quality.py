"""Fit the predicted quality of `cxrseg.evaluate.quality` on phantoms, and judge it on real radiographs with failures.

    python experiments/quality.py --data covid-qu-ex-1500.zip --work /tmp/quality

Nine small networks are trained, weak and strong, on real radiographs and on phantoms of both settings; what
lies finished in the folder of ``--work`` is not trained again. Each segments every test image three times: as
it is; with a planted fault in the image (turned, inverted, covered, noisy, blurred, badly exposed); and with a
planted fault in the prediction (one lung erased, the mask shifted, a confident blob added, the mask swollen).

*Fit*: on test phantoms as the phantom-trained networks segment them; no real radiograph and no network that
saw one takes part. *Judged*: on real test radiographs, a phantom-trained network always by weights that were
fitted without it. Planted faults fail far more often than patients do, so failures (Dice below 0.85) are
thinned by lot to a tenth of the pool, for fitting by weighting; the whole set is reported beside it. Intervals
are percentiles of 1,000 bootstraps over images, not predictions: those of one image resemble each other.

Writes ``cxrseg/quality.json`` (the weights) and ``book/published/quality.json`` (the judgement).
"""

import argparse
import json
from pathlib import Path

import joblib

from cxrseg import provenance
from cxrseg.data.dataset import Dataset
from cxrseg.evaluate.predict import Network
from cxrseg.files import write_json

import cxrseg  # isort: skip  # noqa: F401  before Keras: it tells TensorFlow how to compute
import keras
import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.optimize import minimize

from cxrseg import paths
from cxrseg.config import DataConfig, TrainConfig
from cxrseg.data.prepare import prepare
from cxrseg.evaluate import predict, quality
from cxrseg.evaluate.metrics import overlap
from cxrseg.train.fold import train

SIZE, SEED, TESTED, PREVALENCE, BOOTSTRAPS = 128, 2023, 0, 0.1, 1000
FITTED_PREVALENCE = 0.12  # a little above: the failures, too few to count, are what the score is for
PHANTOMS = {"COVID": 100, "Non-COVID": 100, "Normal": 100}
STRONG = {
    "base_filters": 8, "epochs": 14, "batch_norm": True, "loss": "cross_entropy_dice", "schedule": "cosine",
    "learning_rate": 2e-3,
}  # fmt: skip
MIDDLE = {"base_filters": 8, "epochs": 5, "loss": "cross_entropy_dice", "learning_rate": 1e-3}
WEAK = {"base_filters": 4, "depth": 4, "epochs": 4}
NETWORKS = {
    "real_strong": ("real", STRONG),
    "real_middle": ("real", MIDDLE),
    "real_weak": ("real", WEAK | {"learning_rate": 3e-3, "batch_norm": True}),
    "randomised_strong": ("randomised", STRONG | {"augment": True}),
    "randomised_middle": ("randomised", MIDDLE),
    "randomised_weak": ("randomised", WEAK | {"learning_rate": 3e-3, "batch_norm": True}),
    "realistic_strong": ("realistic", STRONG),
    "realistic_middle": ("realistic", MIDDLE),
    "realistic_weak": ("realistic", WEAK | {"learning_rate": 1e-3}),
}


def datasets(data: str, work: Path) -> dict[str, Path]:
    """Prepare what is trained on and tested, where it is not there yet."""
    configs = {
        "real": DataConfig(
            source="covid_qu_ex", path=data, cases_per_class={"COVID": 300, "Non-COVID": 150, "Normal": 150},
            image_size=SIZE, folds=2,
        ),
        "randomised": DataConfig(setting="randomised", cases_per_class=PHANTOMS, image_size=SIZE, folds=4),
        "realistic": DataConfig(cases_per_class=PHANTOMS, image_size=SIZE, folds=4),
    }  # fmt: skip
    for name, config in configs.items():
        if not (work / name / "dataset.json").is_file():
            prepare(config, work / name)
    return {name: work / name for name in configs}


def networks(folders: dict[str, Path], work: Path) -> dict[str, keras.Model]:
    """Train the networks, where they are not there yet."""
    for name, (source, recipe) in NETWORKS.items():
        if not (work / f"net-{name}" / "train.json").is_file():
            config = TrainConfig(input_size=SIZE, patience=0, **recipe)
            train(config, folders[source], work / f"net-{name}", TESTED)
    return {name: keras.saving.load_model(work / f"net-{name}" / "model.keras", compile=False) for name in NETWORKS}


def faulty_image(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a radiograph with one fault, and where its lungs are then."""
    grey, side = image.astype(float), len(image)
    match rng.integers(6):
        case 0:
            turns = rng.integers(1, 4)
            return np.rot90(image, turns).copy(), np.rot90(mask, turns).copy()
        case 1:
            grey = 255 - grey
        case 2:
            row, column = rng.integers(0, side // 2, 2)
            grey[row : row + side // 2, column : column + side // 2] = rng.integers(256)
        case 3:
            grey += rng.normal(0, rng.uniform(20, 70), grey.shape)
        case 4:
            grey = ndimage.gaussian_filter(grey, rng.uniform(2, 6))
        case 5:
            grey = 255 * (grey / 255) ** rng.choice([0.25, 4])
    return np.clip(grey, 0, 255).astype(np.uint8), mask


def faulty_prediction(levels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a prediction with one fault that the network itself would not know of."""
    side, levels = len(levels), levels.copy()
    match rng.integers(4):
        case 0:
            half = slice(None, side // 2) if rng.random() < 0.5 else slice(side // 2, None)
            levels[:, half] = 0
        case 1:
            levels = ndimage.shift(levels, rng.integers(-side // 5, side // 5, 2), order=0)
        case 2:
            rows, columns = np.mgrid[:side, :side]
            middle, radius = rng.uniform(0.15, 0.85, 2) * side, rng.uniform(0.08, 0.2) * side
            levels[(rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 < radius**2] = 247
        case 3:
            reach = round(rng.uniform(0.05, 0.5) * side)  # at its most, everything is lung
            levels = ndimage.maximum_filter(levels, 2 * reach + 1)
    return levels


def segment(network: Network, images: np.ndarray) -> np.ndarray:
    """Return the lungs' probabilities in steps of 1/255."""
    return np.concatenate([predict(network, images[start : start + 16])[..., 0] for start in range(0, len(images), 16)])


def predictions(models: dict[str, Network], folder: Path, source: str):
    """Yield (names, levels, image, mask) of every test image, by every network, three times."""
    dataset = Dataset.load(folder)
    images, masks, cases = dataset.images, dataset.masks, dataset.cases
    tested = np.flatnonzero(cases["fold"] == TESTED)
    images, masks, ids = images[tested], masks[tested, ..., 0] > 0, cases["case_id"].iloc[tested]
    for number, (name, network) in enumerate(models.items()):
        rng = np.random.default_rng([SEED, number])
        found = segment(network, images)
        faults = [faulty_image(image, mask, rng) for image, mask in zip(images, masks, strict=True)]
        faulty, where = map(np.array, zip(*faults, strict=True))
        kinds = {
            "as_it_is": (found, images, masks),
            "faulty_image": (segment(network, faulty), faulty, where),
            "faulty_prediction": ([faulty_prediction(levels, rng) for levels in found], images, masks),
        }
        for kind, arrays in kinds.items():
            for case_id, levels, image, mask in zip(ids, *arrays, strict=True):
                yield {"source": source, "network": name, "kind": kind, "case_id": case_id}, levels, image, mask
        print(f"{source}: segmented by {name}", flush=True)


def measure(names: dict, levels: np.ndarray, image: np.ndarray, mask: np.ndarray) -> dict:
    """Return one row: the names, the true Dice and, of a prediction that holds anything, its features.

    And the simplest rival, the Dice that the probabilities themselves expect.
    """
    found, probability = levels >= 127.5, levels / 255
    row = names | {"dice": overlap(mask, found)["dice"], "own": 0.0}
    if not found.any():
        return row
    row["own"] = 2 * probability[found].sum() / (probability.sum() + found.sum())
    return row | quality.features(probability, image)


def fit(rows: pd.DataFrame) -> pd.Series:
    """Return ``bias`` and weights of least mean absolute error, failures weighted to the fitted prevalence."""
    rows = rows.dropna()
    x, y = rows[list(quality.FEATURES)].to_numpy(), rows["dice"].to_numpy()
    failed = y < quality.FAILURE
    weight = np.where(failed, FITTED_PREVALENCE / failed.mean(), (1 - FITTED_PREVALENCE) / (1 - failed.mean()))
    weight = weight / weight.sum()
    middle, spread = x.mean(axis=0), x.std(axis=0)
    z = np.c_[np.ones(len(x)), (x - middle) / spread]

    def loss(w):
        said = 1 / (1 + np.exp(-z @ w))
        error = np.sqrt((said - y) ** 2 + 0.01**2)  # the absolute error, rounded off at 0 to have a slope
        slope = weight * (said - y) / error * said * (1 - said)
        return weight @ error + 1e-3 * w[1:] @ w[1:], z.T @ slope + 2e-3 * np.r_[0, w[1:]]

    w = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 2000}).x
    weights = pd.Series(w[1:] / spread, index=quality.FEATURES)
    weights["bias"] = w[0] - weights @ pd.Series(middle, index=quality.FEATURES)
    return weights.round(4)


def score(rows: pd.DataFrame, weights: pd.Series) -> np.ndarray:
    """Return the predicted Dice of rows; 0 where nothing was predicted."""
    said = 1 / (1 + np.exp(-(rows[list(quality.FEATURES)] @ weights[list(quality.FEATURES)] + weights["bias"])))
    return said.fillna(0).to_numpy()


def thinned(rows: pd.DataFrame) -> pd.DataFrame:
    """Return all rows that did not fail, and by lot as many failures as make a tenth."""
    failed = rows["dice"] < quality.FAILURE
    wanted = round((~failed).sum() * PREVALENCE / (1 - PREVALENCE))
    return pd.concat([rows[~failed], rows[failed].sample(min(wanted, failed.sum()), random_state=SEED)]).sort_index()


def judged(rows: pd.DataFrame) -> dict:
    """Return `cxrseg.evaluate.quality.judge` of rows, with intervals over images."""
    result = quality.judge(rows["predicted"], rows["dice"])
    groups = list(rows.groupby("case_id").indices.values())
    arrays = rows["predicted"].to_numpy(), rows["dice"].to_numpy()
    rng, drawn = np.random.default_rng(SEED), []
    for _ in range(BOOTSTRAPS):
        chosen = np.concatenate([groups[k] for k in rng.integers(len(groups), size=len(groups))])
        drawn.append(quality.judge(*(array[chosen] for array in arrays)))
    low, high = np.percentile(pd.DataFrame(drawn), [2.5, 97.5], axis=0)
    intervals = {f"{name}_ci95": [float(a), float(b)] for name, a, b in zip(drawn[0], low, high, strict=True)}
    return result | {"images": len(groups)} | {k: v for k, v in intervals.items() if not k.startswith(("n_", "failed"))}


def risk_coverage(predicted: np.ndarray, dice: np.ndarray) -> dict[str, list[float]]:
    """Return the mean Dice that is missing to 1 among the cases that are kept, the least promising left out.

    Returns
    -------
    dict
        ``coverage``, the share of cases kept, 0.1 to 1 by tenths; ``risk``, one minus their mean Dice;
        ``best_risk``, the same if the true Dice chose.
    """
    dice = np.asarray(dice, float)
    kept = [max(1, round(len(dice) * tenth / 10)) for tenth in range(1, 11)]

    def risk(by: np.ndarray) -> list[float]:
        ordered = dice[np.argsort(-np.asarray(by, float), kind="stable")]
        return [float(1 - ordered[:n].mean()) for n in kept]

    return {"coverage": [tenth / 10 for tenth in range(1, 11)], "risk": risk(predicted), "best_risk": risk(dice)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="COVID-QU-Ex, ZIP or folder")
    parser.add_argument("--work", type=Path, required=True, help="folder that keeps datasets and networks")
    options = parser.parse_args()
    if not Path(options.data).exists():
        parser.error(f"--data {options.data}: no such file; it names the ZIP or folder of COVID-QU-Ex")
    folders = datasets(options.data, options.work)
    models = networks(folders, options.work)

    coefficients = Path(quality.__file__).with_name("quality.json")
    made = [Dataset.load(folders[name]) for name in ("randomised", "realistic")]
    drawn = [quality.shape(mask[..., 0] > 0) for part in made for mask in part.masks[part.cases["fold"] != TESTED]]
    mean_shape = (100 * np.mean(drawn, axis=0)).round().astype(int).tolist()
    # The shape first: what measures the predictions, here and in other processes, reads it from the file.
    # The old weights stay until there are new ones: an interruption would leave a package that predicts nothing.
    earlier = json.loads(coefficients.read_text())["weights"]
    coefficients.write_text(json.dumps({"weights": earlier, "mean_shape": mean_shape}) + "\n")
    quality.model.cache_clear()
    items = (item for source, folder in folders.items() for item in predictions(models, folder, source))
    workers = joblib.Parallel(n_jobs=-1, batch_size=32, pre_dispatch="4 * n_jobs")
    rows = pd.DataFrame(workers(joblib.delayed(measure)(*item) for item in items))
    rows.to_csv(options.work / "rows.csv", index=False)

    phantoms = rows[(rows["source"] != "real") & ~rows["network"].str.startswith("real_")]
    weights = fit(phantoms)
    real = rows[rows["source"] == "real"].reset_index(drop=True)
    for name, part in real.groupby("network"):
        real.loc[part.index, "predicted"] = score(part, fit(phantoms[phantoms["network"] != name]))
    pool, clean = thinned(real), real[real["kind"] == "as_it_is"]
    names = [*quality.FEATURES, "bias"]
    shown = {"weights": weights[names].to_dict(), "mean_shape": mean_shape}
    coefficients.write_text(json.dumps(shown) + "\n")
    result = {
        "command": f"python experiments/quality.py --data {Path(options.data).name} --work FOLDER",
        "failure_below": quality.FAILURE,
        "pool": judged(pool),
        "everything": judged(real),
        "no_planted_fault": judged(clean),
        "networks": {
            name: {"mean_dice": float(part["dice"].mean()), **quality.judge(part["predicted"], part["dice"])}
            for name, part in clean.groupby("network", sort=False)
        },
        "risk_coverage": risk_coverage(pool["predicted"], pool["dice"]),
        "networks_own": quality.judge(pool["own"], pool["dice"]),
        "pool_kinds": pool["kind"].value_counts().to_dict(),
        "weights": shown["weights"],
        "provenance": provenance.record(),
    }
    write_json(paths.published() / "quality.json", result)
    for part in ("pool", "everything", "no_planted_fault"):
        print(part, json.dumps(result[part]))


if __name__ == "__main__":
    main()
