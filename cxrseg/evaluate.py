"""Score trained networks, one row per case and structure, and sum the rows up."""

import json
import time
from collections.abc import Iterable
from pathlib import Path

import joblib
import keras
import numpy as np
import pandas as pd

from cxrseg import baselines, metrics, stats
from cxrseg.config import EvaluateConfig
from cxrseg.inputs import CHANNELS, network_input, to_grid
from cxrseg.prepare import load

BATCH = 16
CONTRAST = {channels: contrast for contrast, channels in CHANNELS.items()}


def evaluate(config: EvaluateConfig, data: Path, folds: list[Path], folder: Path) -> tuple[pd.DataFrame, dict]:
    """Score each fold's network on the cases it has not seen, and pool them.

    Parameters
    ----------
    config : EvaluateConfig
    data : Path
        The prepared dataset that the folds were trained on.
    folds : list of Path
        Folders with ``model.keras`` and ``train.json``; each names the fold it left out.
    folder : Path
        Receives ``cases.csv``, ``predictions.npy`` (cases, size, size, structures) uint8, the
        probabilities in steps of 1/255, and ``baselines.csv``; rows in the same order.

    Returns
    -------
    rows : DataFrame
        The content of ``cases.csv``: one row per case and structure.
    scores : dict
        The numbers of ``summary.json`` that are about segmentation.

    Raises
    ------
    FileNotFoundError
        A fold has not been trained, or the dataset is not there.
    ValueError
        A fold was trained on other data.
    """
    images, masks, cases, dataset = load(data)
    structures = dataset["structures"]
    records = [training_record(fold, dataset["fingerprint"]) for fold in folds]
    tested = [np.flatnonzero(cases["fold"] == record["fold"]) for record in records]
    order = np.concatenate(tested)

    folder.mkdir(parents=True, exist_ok=True)
    levels = np.lib.format.open_memmap(
        folder / "partial-predictions.npy", "w+", np.uint8, (len(order), *masks.shape[1:])
    )
    began, done = time.monotonic(), 0
    for fold, rows in zip(folds, tested, strict=True):
        model = keras.saving.load_model(fold / "model.keras", compile=False)
        for start in range(0, len(rows), BATCH):
            chosen = rows[start : start + BATCH]
            levels[done : done + len(chosen)] = to_levels(predict(model, images[chosen]))
            done += len(chosen)
        print(f"predicted {done:,} of {len(order):,} cases in {time.monotonic() - began:.0f} s", flush=True)
    seconds = (time.monotonic() - began) / len(order)
    levels.flush()
    (folder / "partial-predictions.npy").replace(folder / "predictions.npy")

    limit = config.threshold * 255
    identities = cases[["case_id", "label", "fold"]].to_dict("records")
    rows = score(((identities[row], masks[row] > 0, levels[n] >= limit) for n, row in enumerate(order)), structures)
    write_csv(rows, folder / "cases.csv")
    reference = _score_baselines(images, masks, cases, records, structures[0])
    write_csv(reference, folder / "baselines.csv")
    scores = summarise(rows, structures, config)
    scores["baselines"] = {
        name: {"dice": stats.summarise(part["dice"], config.confidence, config.resamples, config.seed)}
        for name, part in reference.groupby("method", sort=False)
    }
    scores["batch_soft_dice"] = _batch_soft_dice(order, masks, levels, records[0]["config"]["batch_size"])
    scores["n_parameters"] = records[0]["n_parameters"]
    scores["seconds_per_image"] = round(seconds, 4)
    return rows, scores


def training_record(fold: Path, fingerprint: str) -> dict:
    """Return ``train.json`` of a trained fold, checked to belong to the dataset."""
    try:
        record = json.loads((fold / "train.json").read_text())
    except FileNotFoundError:
        raise FileNotFoundError(f"{fold}: no trained network here; run notebook 02-train first") from None
    if record["fingerprint"] != fingerprint:
        raise ValueError(f"{fold}: trained on other data than this run's data folder; train it again")
    return record


def predict(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return probabilities on the images' own grid.

    Parameters
    ----------
    model : keras.Model
    images : (n, size, size) uint8 array

    Returns
    -------
    (n, size, size, structures) float32 array, 0 to 1
    """
    _, size, _, channels = model.input_shape
    inputs = network_input(images, size, CONTRAST[channels])
    return to_grid(keras.ops.convert_to_numpy(model.predict_on_batch(inputs)), images.shape[1])


def to_levels(probability: np.ndarray) -> np.ndarray:
    """Store probabilities in steps of 1/255: all scores and pictures start from these."""
    return np.round(probability * 255).astype(np.uint8)


def score(items: Iterable[tuple[dict, np.ndarray, np.ndarray]], structures: list[str]) -> pd.DataFrame:
    """Measure predicted masks against reference masks, on all cores.

    Parameters
    ----------
    items : iterable of (dict, (height, width, structures) bool array, the same)
        What names the case, its reference masks and its predicted masks.
    structures : list of str

    Returns
    -------
    DataFrame
        One row per case and structure: the naming columns, ``structure``, ``truth_pixels``,
        ``predicted_pixels`` and every metric of `cxrseg.metrics.all_metrics`.
    """
    workers = joblib.Parallel(n_jobs=-1, batch_size=16, pre_dispatch="4 * n_jobs")
    measured = workers(joblib.delayed(_measure)(*item, structures) for item in items)
    return pd.DataFrame(row for rows in measured for row in rows)


def summarise(rows: pd.DataFrame, structures: list[str], config: EvaluateConfig) -> dict:
    """Sum up rows of `score`: everything, by diagnostic class and by structure.

    A structure that some cases do not have is scored on those that have it; what is drawn on the
    others is counted apart.

    Returns
    -------
    dict
        ``n_cases``; ``dice`` and ``classes`` of the first structure; ``structures`` with every metric
        of each; ``failures``, the number of cases below a Dice of 0.8 and 0.9.
    """
    by_structure = {name: _scores(rows[rows["structure"] == name], config) for name in structures}
    first = rows[rows["structure"] == structures[0]]
    return {
        "n_cases": len(first),
        "dice": by_structure[structures[0]]["dice"],
        "classes": by_structure[structures[0]]["classes"],
        "structures": by_structure,
        "failures": {f"below_{limit:03d}": int((first["dice"] < limit / 100).sum()) for limit in (80, 90)},
    }


def _measure(identity: dict, truth: np.ndarray, predicted: np.ndarray, structures: list[str]) -> list[dict]:
    return [
        {
            **identity,
            "structure": structure,
            "truth_pixels": int(truth[..., k].sum()),
            "predicted_pixels": int(predicted[..., k].sum()),
            **metrics.all_metrics(truth[..., k], predicted[..., k]),
        }
        for k, structure in enumerate(structures)
    ]


def _scores(rows: pd.DataFrame, config: EvaluateConfig) -> dict:
    present, absent = rows[rows["truth_pixels"] > 0], rows[rows["truth_pixels"] == 0]
    names = list(rows.columns[rows.columns.get_loc("predicted_pixels") + 1 :])

    def summaries(part):
        return {name: stats.summarise(part[name], config.confidence, config.resamples, config.seed) for name in names}

    scores = {"n": len(present)}
    if len(present):
        scores |= summaries(present)
        scores["classes"] = {label: {"n": len(part), **summaries(part)} for label, part in present.groupby("label")}
    if len(absent):
        scores["absent"] = {"n": len(absent), "false_positives": int((absent["predicted_pixels"] > 0).sum())}
    return scores


def _score_baselines(images, masks, cases: pd.DataFrame, records: list[dict], structure: str) -> pd.DataFrame:
    """Score what needs no network, on the same test cases: the mean shape, and Otsu's threshold."""
    identities = cases[["case_id", "label", "fold"]].to_dict("records")

    def tasks():
        for record in records:
            atlas = baselines.mean_shape(masks[n, ..., 0] > 0 for n in np.flatnonzero(cases["fold"] != record["fold"]))
            for n in np.flatnonzero(cases["fold"] == record["fold"]):
                yield identities[n], images[n], masks[n, ..., :1] > 0, atlas[..., None], structure

    measured = joblib.Parallel(n_jobs=-1, pre_dispatch="4 * n_jobs")(
        joblib.delayed(_measure_baselines)(*task) for task in tasks()
    )
    return pd.DataFrame(row for rows in measured for row in rows).sort_values("method", kind="stable")


def _measure_baselines(identity: dict, image, truth, atlas, structure: str) -> list[dict]:
    found = {"mean_shape": atlas, "otsu": baselines.otsu(image)[..., None]}
    return [
        row for name, mask in found.items() for row in _measure({"method": name} | identity, truth, mask, [structure])
    ]


def _batch_soft_dice(order, masks, levels, batch: int) -> float:
    """Return what a training log calls Dice: soft, over whole batches. Named apart, because it is another number."""
    values = [
        metrics.soft_dice_batch(masks[order[start : start + batch]], levels[start : start + batch] / 255)
        for start in range(0, len(order), batch)
    ]
    return round(float(np.mean(values)), 4)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table with five significant digits; the file appears whole."""
    partial = path.with_name(f"partial-{path.name}")
    table.to_csv(partial, index=False, float_format="%.5g")
    partial.replace(path)
