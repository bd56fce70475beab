"""Fit the predicted Dice of `cxrseg.evaluate.quality` on phantoms, and evaluate it on real radiographs with failures.

Each network segments every test image three times: unchanged, with a fault planted in the image, and with a fault
planted in the prediction. The weights are fitted to predictions of phantom-trained networks on test phantoms, without
any real radiograph or network trained on one. They are evaluated on real test radiographs, each phantom-trained network
with weights fitted without it. Planted faults fail more often than patients' images do. Failures are therefore
reweighted for the fit and randomly subsampled for the evaluation, and the whole set is reported too. Intervals are
percentiles of bootstraps over images, because predictions for one image are correlated.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.optimize import minimize

from cxrseg import paths
from cxrseg.data.dataset import Dataset
from cxrseg.evaluate import quality
from cxrseg.evaluate.metrics import overlap
from cxrseg.evaluate.predict import Network, load_keras, predict
from cxrseg.parallel import starmap
from cxrseg.publish.experiments import Experiment

TESTED = 0  # the fold on whose cases no network was trained


def measure(experiment: Experiment) -> dict:
    """Return the weights and the mean shape, fitted on phantoms, and how well they do on real radiographs.

    The label of a run names the source of its data and its strength.
    """
    options, runs = experiment.options, {label: one.run for label, one in experiment.runs.items()}
    networks = {label: load_keras([paths.fold(run, TESTED) / "model.keras"], ["lungs"]) for label, run in runs.items()}
    datasets = {label.partition("_")[0]: Dataset.load(paths.data(run)) for label, run in runs.items()}
    learnt = [data.masks[data.cases["fold"] != TESTED, ..., 0] > 0 for name, data in datasets.items() if name != "real"]
    mean_shape = (100 * np.mean([quality.shape(mask) for mask in np.concatenate(learnt)], axis=0)).round().astype(int)
    rows = pd.DataFrame(starmap(described, predictions(networks, datasets, mean_shape, options["seed"])))

    phantoms = rows[(rows["source"] != "real") & ~rows["network"].str.startswith("real_")]
    real = rows[rows["source"] == "real"].reset_index(drop=True)
    for name, part in real.groupby("network"):
        weights = fit(phantoms[phantoms["network"] != name], options["fitted_prevalence"])
        said = 1 / (1 + np.exp(-(part[list(quality.FEATURES)] @ weights.drop("bias") + weights["bias"])))
        real.loc[part.index, "predicted"] = said.fillna(0)  # an empty mask has no features
    pool, clean = thinned(real, options["prevalence"], options["seed"]), real[real["kind"] == "as_it_is"]
    parts = {"pool": pool, "everything": real, "no_planted_fault": clean}
    return {
        "failure_below": quality.FAILURE,
        **{name: judged(part, options["bootstraps"], options["seed"]) for name, part in parts.items()},
        "networks": {
            name: {"mean_dice": float(part["dice"].mean()), **quality.judge(part["predicted"], part["dice"])}
            for name, part in clean.groupby("network", sort=False)
        },
        "networks_own": quality.judge(pool["own"], pool["dice"]),
        "pool_kinds": pool["kind"].value_counts().to_dict(),
        "weights": fit(phantoms, options["fitted_prevalence"])[[*quality.FEATURES, "bias"]].to_dict(),
        "mean_shape": mean_shape.tolist(),
    }


def predictions(networks: dict[str, Network], datasets: dict[str, Dataset], mean_shape, seed: int) -> Iterator[tuple]:
    """Yield the arguments of `described` for every network and test image, unchanged and with either fault."""
    for source, dataset in datasets.items():
        tested = np.flatnonzero(dataset.cases["fold"] == TESTED)
        images, masks, ids = dataset.images[tested], dataset.masks[tested, ..., 0] > 0, dataset.cases["case_id"][tested]
        for number, (name, network) in enumerate(networks.items()):
            rng = np.random.default_rng([seed, number])
            found = segmented(network, images)
            faults = [faulty_image(image, mask, rng) for image, mask in zip(images, masks, strict=True)]
            faulty, where = map(np.array, zip(*faults, strict=True))
            kinds = {
                "as_it_is": (found, images, masks),
                "faulty_image": (segmented(network, faulty), faulty, where),
                "faulty_prediction": ([faulty_prediction(levels, rng) for levels in found], images, masks),
            }
            for kind, arrays in kinds.items():
                for case_id, *case in zip(ids, *arrays, strict=True):
                    yield {"source": source, "network": name, "kind": kind, "case_id": case_id}, *case, mean_shape


def segmented(network: Network, images: np.ndarray) -> np.ndarray:
    """Return the lung probabilities of images in steps of 1/255."""
    return np.concatenate([predict(network, images[start : start + 16])[..., 0] for start in range(0, len(images), 16)])


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


def described(names: dict, levels: np.ndarray, image: np.ndarray, mask: np.ndarray, mean_shape: np.ndarray) -> dict:
    """Return one row: the names, the true Dice, the Dice that the probabilities expect, and the features if any."""
    found, probability = levels >= 127.5, levels / 255
    row = names | {"dice": overlap(mask, found)["dice"], "own": 0.0}
    if not found.any():
        return row
    row["own"] = 2 * probability[found].sum() / (probability.sum() + found.sum())
    return row | quality.features(probability, image, mean_shape=mean_shape)


def fit(rows: pd.DataFrame, prevalence: float) -> pd.Series:
    """Fit ``bias`` and weights by mean absolute error, with failures reweighted to their prevalence."""
    rows = rows.dropna()
    x, y = rows[list(quality.FEATURES)].to_numpy(), rows["dice"].to_numpy()
    failed = y < quality.FAILURE
    weight = np.where(failed, prevalence / failed.mean(), (1 - prevalence) / (1 - failed.mean()))
    weight /= weight.sum()
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


def thinned(rows: pd.DataFrame, prevalence: float, seed: int) -> pd.DataFrame:
    """Return all rows without failure and a random subset of the failures, of the given prevalence."""
    failed = rows["dice"] < quality.FAILURE
    wanted = round((~failed).sum() * prevalence / (1 - prevalence))
    return pd.concat([rows[~failed], rows[failed].sample(min(wanted, failed.sum()), random_state=seed)]).sort_index()


def judged(rows: pd.DataFrame, bootstraps: int, seed: int) -> dict:
    """Return `cxrseg.evaluate.quality.judge` of the rows, with bootstrap intervals over images."""
    said, dice, images = rows["predicted"].to_numpy(), rows["dice"].to_numpy(), rows.groupby("case_id").indices
    rng, groups, drawn = np.random.default_rng(seed), list(images.values()), []
    for _ in range(bootstraps):
        chosen = np.concatenate([groups[k] for k in rng.integers(len(groups), size=len(groups))])
        drawn.append(quality.judge(said[chosen], dice[chosen]))
    bounds = pd.DataFrame(drawn).drop(columns=["n", "failed"]).quantile([0.025, 0.975])
    intervals = {f"{name}_ci95": bounds[name].tolist() for name in bounds}
    return quality.judge(said, dice) | {"images": len(groups)} | intervals
