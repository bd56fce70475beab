"""Fit the predicted Dice of `cxrseg.evaluate.quality` on phantoms, and evaluate it on real radiographs with failures.

    python experiments/quality.py --data covid-qu-ex-1500.zip --work /tmp/quality

Nine small networks, from weak to strong, are trained on real radiographs and on phantoms of both settings. Networks
that are finished in the folder of ``--work`` are not trained again. Each network segments every test image three
times: unchanged, with a fault planted in the image (rotated, inverted, covered, noisy, blurred, badly exposed), and
with a fault planted in the prediction (one half erased, mask shifted, confident blob added, mask dilated).

The weights are fitted to predictions of phantom-trained networks on test phantoms, without any real radiograph or
network trained on one. They are evaluated on real test radiographs, each phantom-trained network with weights fitted
without it. Planted faults fail far more often than patients' images do. Failures (Dice below 0.85) are therefore
reweighted for the fit and randomly subsampled to a tenth of the pool for the evaluation, and the whole set is reported
too. Intervals are percentiles of 1,000 bootstraps over images, because predictions for one image are correlated.

Writes ``cxrseg/evaluate/quality.json`` (weights and mean shape) and ``book/published/quality.json`` (evaluation).
"""

import argparse
import json
from pathlib import Path

import joblib

from cxrseg import provenance
from cxrseg.data.dataset import Dataset
from cxrseg.evaluate.predict import Network, load_keras, predict
from cxrseg.files import write_json

import cxrseg  # isort: skip  # noqa: F401  before Keras: it tells TensorFlow how to compute
import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.optimize import minimize

from cxrseg import paths
from cxrseg.config import DataConfig, TrainConfig
from cxrseg.data.prepare import prepare
from cxrseg.evaluate import quality
from cxrseg.evaluate.metrics import overlap
from cxrseg.train.fold import train

SIZE, SEED, TESTED, PREVALENCE, BOOTSTRAPS = 128, 2023, 0, 0.1, 1000
FITTED_PREVALENCE = 0.12  # slightly above `PREVALENCE`, because the rare failures matter most
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
    """Prepare the missing datasets for training and test."""
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


def networks(folders: dict[str, Path], work: Path) -> dict[str, Network]:
    """Train the missing networks and load all of them."""
    for name, (source, recipe) in NETWORKS.items():
        if not (work / f"net-{name}" / "train.json").is_file():
            config = TrainConfig(input_size=SIZE, patience=0, **recipe)
            train(config, folders[source], work / f"net-{name}", TESTED)
    return {name: load_keras([work / f"net-{name}" / "model.keras"], ["lungs"]) for name in NETWORKS}


def faulty_image(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a radiograph with one planted fault, and its reference mask."""
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
    """Return a prediction with one planted fault that the network's confidence does not reveal."""
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
            reach = round(rng.uniform(0.05, 0.5) * side)  # the largest reach marks everything as lung
            levels = ndimage.maximum_filter(levels, 2 * reach + 1)
    return levels


def segment(network: Network, images: np.ndarray) -> np.ndarray:
    """Return the lung probabilities of images in steps of 1/255."""
    return np.concatenate([predict(network, images[start : start + 16])[..., 0] for start in range(0, len(images), 16)])


def predictions(models: dict[str, Network], folder: Path, source: str):
    """Yield (names, levels, image, mask) for every network and test image, unchanged and with either fault."""
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
    """Return one row: the names, the true Dice and, if the predicted mask is not empty, the features.

    The row also has ``own``, the Dice expected from the probabilities themselves, as the simplest competitor.
    """
    found, probability = levels >= 127.5, levels / 255
    row = names | {"dice": overlap(mask, found)["dice"], "own": 0.0}
    if not found.any():
        return row
    row["own"] = 2 * probability[found].sum() / (probability.sum() + found.sum())
    return row | quality.features(probability, image)


def fit(rows: pd.DataFrame) -> pd.Series:
    """Fit ``bias`` and weights by mean absolute error, with failures reweighted to `FITTED_PREVALENCE`."""
    rows = rows.dropna()
    x, y = rows[list(quality.FEATURES)].to_numpy(), rows["dice"].to_numpy()
    failed = y < quality.FAILURE
    weight = np.where(failed, FITTED_PREVALENCE / failed.mean(), (1 - FITTED_PREVALENCE) / (1 - failed.mean()))
    weight = weight / weight.sum()
    middle, spread = x.mean(axis=0), x.std(axis=0)
    z = np.c_[np.ones(len(x)), (x - middle) / spread]

    def loss(w):
        said = 1 / (1 + np.exp(-z @ w))
        error = np.sqrt((said - y) ** 2 + 0.01**2)  # absolute error, smoothed at 0 to be differentiable
        slope = weight * (said - y) / error * said * (1 - said)
        return weight @ error + 1e-3 * w[1:] @ w[1:], z.T @ slope + 2e-3 * np.r_[0, w[1:]]

    w = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 2000}).x
    weights = pd.Series(w[1:] / spread, index=quality.FEATURES)
    weights["bias"] = w[0] - weights @ pd.Series(middle, index=quality.FEATURES)
    return weights.round(4)


def score(rows: pd.DataFrame, weights: pd.Series) -> np.ndarray:
    """Return the predicted Dice of each row, 0 for an empty mask."""
    said = 1 / (1 + np.exp(-(rows[list(quality.FEATURES)] @ weights[list(quality.FEATURES)] + weights["bias"])))
    return said.fillna(0).to_numpy()


def thinned(rows: pd.DataFrame) -> pd.DataFrame:
    """Return all rows without failure and a random subset of the failures, which make up `PREVALENCE`."""
    failed = rows["dice"] < quality.FAILURE
    wanted = round((~failed).sum() * PREVALENCE / (1 - PREVALENCE))
    return pd.concat([rows[~failed], rows[failed].sample(min(wanted, failed.sum()), random_state=SEED)]).sort_index()


def judged(rows: pd.DataFrame) -> dict:
    """Return `cxrseg.evaluate.quality.judge` of the rows, with bootstrap intervals over images."""
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
    """Return the risk-coverage curve: one minus the mean Dice of the cases with the highest predicted Dice.

    Returns
    -------
    dict
        ``coverage``: share of cases kept, from 0.1 to 1 in steps of 0.1. ``risk``: one minus their mean Dice.
        ``best_risk``: the same if cases are ranked by the true Dice.
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
    # The mean shape is written first, because this process and its workers read it from the file for the features.
    # The old weights stay until the fit is done, so that an interruption does not leave the package without weights.
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
