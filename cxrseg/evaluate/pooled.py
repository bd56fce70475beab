"""Pool the folds of a cross-validation: each network predicts its hold-out fold, and all predictions are scored."""

import time
from pathlib import Path

import numpy as np
import pandas as pd

from cxrseg import runs
from cxrseg.config import DataConfig, EvaluateConfig, TrainConfig
from cxrseg.data.dataset import Dataset, take
from cxrseg.data.split import leakage
from cxrseg.evaluate import calibration, metrics, quality, references, stats
from cxrseg.evaluate.masks import to_masks
from cxrseg.evaluate.predict import load_keras, predict
from cxrseg.evaluate.scores import aggregate, score, score_baselines
from cxrseg.files import read_json, write_csv, write_whole

BATCH = 16


def evaluate(config: EvaluateConfig, data: Path, folds: list[Path], folder: Path) -> tuple[pd.DataFrame, dict]:
    """Score the network of each fold on its hold-out cases and pool the scores.

    Parameters
    ----------
    config : EvaluateConfig
    data : Path
        The prepared dataset on which the folds were trained.
    folds : list of Path
        Folders with ``model.keras`` and ``train.json``, which names the hold-out fold.
    folder : Path
        Output folder for ``predictions.npy``, the probabilities as a (cases, size, size, structures) uint8 array
        in steps of 1/255, and for the files that `measure` writes, with rows in the same order.

    Returns
    -------
    rows : DataFrame
        The content of ``cases.csv``: one row per case and structure.
    scores : dict
        The segmentation results of ``summary.json``.

    Raises
    ------
    FileNotFoundError
        A fold has not been trained, or the dataset does not exist.
    ValueError
        A fold was trained on other data or in another way than the first, or `folder` is that of a run with other
        parameters.
    """
    dataset = Dataset.load(data)
    records = [training_record(fold, dataset.fingerprint) for fold in folds]
    for fold, record in zip(folds, records, strict=True):
        if record["config"] != records[0]["config"]:
            raise ValueError(f"{fold}: trained with other parameters than {folds[0]}; train it again")
    # A score is reported under the parameters of the run, so these have to be those that made it.
    runs.admit(
        folder,
        run_folds=len(folds),
        data=DataConfig.model_construct(**dataset.record["parameters"]),
        train=TrainConfig.model_construct(**records[0]["config"]),
        evaluate=config,
    )
    tested = [np.flatnonzero(dataset.cases["fold"] == record["fold"]) for record in records]
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    write_whole(folder / "predictions.npy", lambda path: _predict_folds(dataset, folds, tested, path))
    n_cases = sum(map(len, tested))
    seconds = (time.monotonic() - began) / n_cases

    rows, scores = measure(config, dataset, [record["fold"] for record in records], folder)
    scores["batch_soft_dice"] = _batch_soft_dice(
        dataset.masks, np.concatenate(tested), folder, records[0]["config"]["batch_size"]
    )
    scores["n_parameters"] = records[0]["n_parameters"]
    scores["seconds_per_image"] = round(seconds, 4)
    return rows, scores


def measure(config: EvaluateConfig, dataset: Dataset, folds: list[int], folder: Path) -> tuple[pd.DataFrame, dict]:
    """Score the stored predictions of a run.

    Parameters
    ----------
    config : EvaluateConfig
    dataset : Dataset
    folds : list of int
        The tested folds, in the order of the predictions.
    folder : Path
        Contains ``predictions.npy`` and receives ``cases.csv`` and ``baselines.csv``. If the first structure is the
        lungs, it also receives ``quality.csv``, with the Dice predicted by `cxrseg.evaluate.quality`. The rows of
        ``cases.csv`` and ``quality.csv`` have the order of the predictions.

    Returns
    -------
    rows : DataFrame
        The content of ``cases.csv``: one row per case and structure.
    scores : dict
        The result of `cxrseg.evaluate.scores.aggregate`, and ``leakage``. For the first structure, in the cases that
        have it: ``baselines``, ``boundary_band`` (`cxrseg.evaluate.references`), ``calibration``, ``quality`` (lungs).
    """
    images, masks, cases, structures = dataset.images, dataset.masks, dataset.cases, dataset.structures
    levels = np.load(folder / "predictions.npy", mmap_mode="r")
    order = np.concatenate([np.flatnonzero(cases["fold"] == fold) for fold in folds])
    identities = cases[["case_id", "label", "fold"]].to_dict("records")

    rows = score(
        (
            (
                identities[row],
                take(masks, row) > 0,
                to_masks(take(levels, n), config.threshold, config.pieces, structures),
            )
            for n, row in enumerate(order)
        ),
        structures,
    )
    write_csv(folder / "cases.csv", rows)
    baselines = score_baselines(dataset, folds)
    write_csv(folder / "baselines.csv", baselines)
    scores = aggregate(rows, structures, config)
    scores["baselines"] = {
        name: {"dice": stats.describe(part["dice"], config.confidence, config.resamples, config.seed)}
        for name, part in baselines[baselines["truth_pixels"] > 0].groupby("method", sort=False)
    }
    present = np.flatnonzero(rows.loc[rows["structure"] == structures[0], "truth_pixels"] > 0)

    def truths():
        return (take(masks, order[n])[..., 0] > 0 for n in present)

    def probabilities():
        return (take(levels, n)[..., 0] for n in present)

    scores["boundary_band"] = references.boundary_band(truths())
    scores["calibration"] = calibration.calibrate(zip(truths(), probabilities(), strict=True), config.threshold)
    if structures[0] == "lungs":
        pairs = zip(probabilities(), (take(images, row) for row in order), strict=True)
        known = rows.loc[rows["structure"] == "lungs", ["case_id", "label", "fold", "dice"]]
        known = known.assign(predicted_dice=quality.predict_all(pairs, config.threshold))
        write_csv(folder / "quality.csv", known)
        scores["quality"] = quality.judge(known["predicted_dice"], known["dice"])
    scores["leakage"] = leakage(cases, dataset.record["duplicates"])
    return rows, scores


def training_record(fold: Path, fingerprint: str) -> dict:
    """Return ``train.json`` of a trained fold after checking that it belongs to the dataset."""
    try:
        record = read_json(fold / "train.json")
    except FileNotFoundError:
        raise FileNotFoundError(f"{fold}: no trained network here; run notebook 02-train first") from None
    if record["fingerprint"] != fingerprint:
        raise ValueError(f"{fold}: trained on other data than this run's data folder; train it again")
    return record


def _batch_soft_dice(masks, order, folder: Path, batch: int) -> float:
    """Return the mean soft Dice over whole batches, which training logs often report as the Dice."""
    levels = np.load(folder / "predictions.npy", mmap_mode="r")
    values = [
        metrics.soft_dice_batch(
            take(masks, order[start : start + batch]), take(levels, slice(start, start + batch)) / 255
        )
        for start in range(0, len(order), batch)
    ]
    return round(float(np.mean(values)), 4)


def _predict_folds(dataset: Dataset, folds: list[Path], tested: list[np.ndarray], path: Path) -> None:
    """Write the levels of every test case, fold after fold, to one array on disk, which bounds memory."""
    began, done, n_cases = time.monotonic(), 0, sum(map(len, tested))
    with open(path, "wb") as file:
        shape = (n_cases, *dataset.masks.shape[1:])
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for fold, rows in zip(folds, tested, strict=True):
            network = load_keras([fold / "model.keras"], dataset.structures)
            for start in range(0, len(rows), BATCH):
                file.write(predict(network, take(dataset.images, rows[start : start + BATCH])).tobytes())
            done += len(rows)
            print(f"predicted {done:,} of {n_cases:,} cases in {time.monotonic() - began:.0f} s", flush=True)
