"""All that follows from predictions: scores, and what they are to be held against.

Apart from `cxrseg.evaluate`, so that what measures need not load Keras.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from cxrseg import calibration, context, leakage, quality, stats
from cxrseg.config import EvaluateConfig
from cxrseg.masks import to_masks
from cxrseg.prepare import load, take
from cxrseg.scores import score, score_baselines, summarise, write_csv


def measure(config: EvaluateConfig, data: Path, folds: list[int], folder: Path) -> tuple[pd.DataFrame, dict]:
    """Measure the predictions of a run.

    Parameters
    ----------
    config : EvaluateConfig
    data : Path
        The prepared dataset.
    folds : list of int
        The folds that were tested, in the order of the predictions.
    folder : Path
        Holds ``predictions.npy``; receives ``cases.csv``, ``baselines.csv`` and, where lungs are the first
        structure, ``quality.csv``: the Dice that `cxrseg.quality` predicts. Rows in the order of predictions.

    Returns
    -------
    rows : DataFrame
        The content of ``cases.csv``: one row per case and structure.
    scores : dict
        `cxrseg.scores.summarise` of them, and of the first structure, where a case has it, ``baselines``,
        ``boundary_band`` (`cxrseg.context`), ``calibration``, ``quality`` and ``leakage``, named after their modules.
    """
    images, masks, cases, dataset = load(data)
    structures = dataset["structures"]
    levels = np.load(folder / "predictions.npy", mmap_mode="r")
    order = np.concatenate([np.flatnonzero(cases["fold"] == fold) for fold in folds])
    identities = cases[["case_id", "label", "fold"]].to_dict("records")

    rows = score(
        (
            (identities[row], take(masks, row) > 0, to_masks(take(levels, n), config.threshold, config.pieces))
            for n, row in enumerate(order)
        ),
        structures,
    )
    write_csv(rows, folder / "cases.csv")
    reference = score_baselines(images, masks, cases, folds, structures[0])
    write_csv(reference, folder / "baselines.csv")
    scores = summarise(rows, structures, config)
    scores["baselines"] = {
        name: {"dice": stats.summarise(part["dice"], config.confidence, config.resamples, config.seed)}
        for name, part in reference[reference["truth_pixels"] > 0].groupby("method", sort=False)
    }
    present = np.flatnonzero(rows.loc[rows["structure"] == structures[0], "truth_pixels"] > 0)

    def truths():
        return (take(masks, order[n])[..., 0] > 0 for n in present)

    def probabilities():
        return (take(levels, n)[..., 0] for n in present)

    scores["boundary_band"] = context.summarise(truths())
    scores["calibration"] = calibration.calibrate(zip(truths(), probabilities(), strict=True), config.threshold)
    if structures[0] == "lungs":
        pairs = zip(probabilities(), (take(images, row) for row in order), strict=True)
        known = rows.loc[rows["structure"] == "lungs", ["case_id", "label", "fold", "dice"]]
        known = known.assign(predicted_dice=quality.predict_all(pairs, config.threshold))
        write_csv(known, folder / "quality.csv")
        scores["quality"] = quality.judge(known["predicted_dice"], known["dice"])
    scores["leakage"] = leakage.report(cases, dataset["duplicates"])
    return rows, scores
