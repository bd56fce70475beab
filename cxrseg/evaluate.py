"""Let each trained network segment the cases that it has not seen, and have the predictions measured."""

import json
import logging
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from cxrseg import metrics
from cxrseg.config import EvaluateConfig
from cxrseg.evidence import measure
from cxrseg.inputs import CHANNELS, network_input, to_grid
from cxrseg.masks import to_levels
from cxrseg.prepare import load, take

logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns where several networks predict, one for each fold

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
        probabilities in steps of 1/255, ``baselines.csv``, and ``quality.csv``, the Dice that
        `cxrseg.quality` predicts of the first structure; rows in the same order.

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
    records = [training_record(fold, dataset["fingerprint"]) for fold in folds]
    tested = [np.flatnonzero(cases["fold"] == record["fold"]) for record in records]
    order = np.concatenate(tested)

    folder.mkdir(parents=True, exist_ok=True)
    began, done = time.monotonic(), 0
    with open(folder / "partial-predictions.npy", "wb") as file:
        shape = (len(order), *masks.shape[1:])
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for fold, rows in zip(folds, tested, strict=True):
            model = keras.saving.load_model(fold / "model.keras", compile=False)
            for start in range(0, len(rows), BATCH):
                chosen = rows[start : start + BATCH]
                file.write(to_levels(predict(model, take(images, chosen))).tobytes())
            done += len(rows)
            print(f"predicted {done:,} of {len(order):,} cases in {time.monotonic() - began:.0f} s", flush=True)
    seconds = (time.monotonic() - began) / len(order)
    (folder / "partial-predictions.npy").replace(folder / "predictions.npy")

    rows, scores = measure(config, data, [record["fold"] for record in records], folder)
    scores["batch_soft_dice"] = _batch_soft_dice(order, masks, folder, records[0]["config"]["batch_size"])
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


def _batch_soft_dice(order, masks, folder: Path, batch: int) -> float:
    """Return what a training log calls Dice: soft, over whole batches. Named apart, because it is another number."""
    levels = np.load(folder / "predictions.npy", mmap_mode="r")
    values = [
        metrics.soft_dice_batch(
            take(masks, order[start : start + batch]), take(levels, slice(start, start + batch)) / 255
        )
        for start in range(0, len(order), batch)
    ]
    return round(float(np.mean(values)), 4)
