"""Score predicted masks, with one row per case and structure, and summarise the rows.

This module does not import Keras, so that worker processes start quickly.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from cxrseg.config import EvaluateConfig
from cxrseg.data.dataset import Dataset, take
from cxrseg.evaluate import metrics, references, stats
from cxrseg.measure.heart import extent, ratio
from cxrseg.parallel import starmap

RATIOS = ("truth_ctr", "predicted_ctr")
"""Columns of the cardiothoracic ratios of the reference masks and of the predicted ones."""


def score(items: Iterable[tuple], structures: list[str]) -> pd.DataFrame:
    """Score predicted masks against reference masks on all cores.

    Parameters
    ----------
    items : iterable of (dict, (height, width, structures) bool array, the same[, (float, float) or None[, list]])
        Identifying columns of each case, its reference masks, its predicted masks, where it is known the height and
        width of a pixel of the masks in millimetres, and where it has masks of some structures only, the names of
        these, the first one among them.
    structures : list of str

    Returns
    -------
    DataFrame
        One row per case and structure of it: the identifying columns, ``structure``, ``truth_pixels``,
        ``predicted_pixels`` and every metric of `cxrseg.evaluate.metrics.all_metrics`. ``hd95_height`` and
        ``assd_height`` are ``hd95_px`` and ``assd_px`` as shares of the height of the lungs: of the box around the
        reference mask of the first structure, or of the image where that mask is empty. If the size of a pixel is
        known for any case, ``hd95_mm`` and ``assd_mm`` follow, empty for the other cases. Rows of the heart also have
        ``truth_ctr`` and ``predicted_ctr`` if the first structure is the lungs: the cardiothoracic ratios of the
        masks, empty where either organ is missing.
    """
    measured = starmap(_measure, ((structures, *item) for item in items))
    return pd.DataFrame(row for rows in measured for row in rows)


def aggregate(rows: pd.DataFrame, structures: list[str], config: EvaluateConfig) -> dict:
    """Summarise the rows of `score` overall, by diagnostic class and by structure.

    A structure is scored on the cases whose reference mask contains it, including failures. False positives on the
    other cases are counted separately.

    Returns
    -------
    dict
        ``n_cases``. For the first structure ``dice``, ``macro`` (mean Dice with equal weight for each diagnostic
        class) and ``classes``. ``structures`` with every metric of each structure. ``failures``, the number of cases
        whose first structure has a Dice below 0.8 and 0.9. ``ctr``, where lungs and heart were scored: see
        `compare_ratios`.

    Raises
    ------
    ValueError
        No case has the first structure.
    """
    by_structure = {name: _scores(rows[rows["structure"] == name], config) for name in structures}
    first = rows[rows["structure"] == structures[0]]
    present = first[first["truth_pixels"] > 0]
    if present.empty:
        raise ValueError(f"none of {len(first)} cases has {structures[0]} in its reference mask: nothing to score")
    known = rows.dropna(subset=["truth_ctr"]) if "truth_ctr" in rows else rows[:0]
    return {
        "n_cases": len(first),
        "dice": by_structure[structures[0]]["dice"],
        "macro": by_structure[structures[0]]["macro"],
        "classes": by_structure[structures[0]]["classes"],
        "structures": by_structure,
        "failures": {f"below_{limit:03d}": int((present["dice"] < limit / 100).sum()) for limit in (80, 90)},
        **({"ctr": compare_ratios(known, config)} if len(known) else {}),
    }


def compare_ratios(rows: pd.DataFrame, config: EvaluateConfig) -> dict:
    """Compare the cardiothoracic ratios of predicted and reference masks.

    Parameters
    ----------
    rows : DataFrame
        Has the columns ``truth_ctr`` and ``predicted_ctr``, the latter empty where an organ was not found.
    config : EvaluateConfig

    Returns
    -------
    dict
        ``n``, the number of cases with both ratios, and ``missing``, that of the others. ``error`` and ``bias``: mean
        and 95% interval of the absolute difference and of the difference, predicted minus reference. ``limits``: limits
        of agreement, the bias and 1.96 standard deviations below and above it. ``r``: Pearson correlation. ``agree``:
        share of cases in which both or neither exceed 0.5. What too few or equal cases do not give is None.

    References
    ----------
    Bland & Altman, Statistical methods for assessing agreement between two methods of clinical measurement, Lancet
    327:307-310, 1986.
    """
    both = rows.dropna(subset=list(RATIOS))
    truth, predicted = (both[name].to_numpy(float) for name in RATIOS)
    difference, several = predicted - truth, len(both) > 1
    spread = 1.96 * difference.std(ddof=1) if several else 0.0
    varies = several and np.ptp(truth) > 0 and np.ptp(predicted) > 0
    settings = config.confidence, config.resamples, config.seed

    def mean(values: np.ndarray) -> dict | None:
        return {"mean": float(values.mean()), "ci95": list(stats.interval(values, *settings))} if len(values) else None

    return {
        "n": len(both),
        "missing": len(rows) - len(both),
        "error": mean(np.abs(difference)),
        "bias": mean(difference),
        "limits": [float(difference.mean() - spread), float(difference.mean() + spread)] if several else None,
        "r": float(np.corrcoef(truth, predicted)[0, 1]) if varies else None,
        "agree": float(np.mean((truth > 0.5) == (predicted > 0.5))) if len(both) else None,
    }


def _measure(structures: list[str], identity: dict, truth, predicted, spacing=None, own=None) -> list[dict]:
    rows, height = [], metrics.height(truth[..., 0])
    structures = own or structures
    for k, structure in enumerate(structures):
        pair = truth[..., k], predicted[..., k]
        row = {
            **identity,
            "structure": structure,
            "truth_pixels": int(pair[0].sum()),
            "predicted_pixels": int(pair[1].sum()),
            **(_ratios_of_case(structures, truth, predicted) if structure == "heart" else {}),
            **metrics.all_metrics(*pair),
        }
        row |= {f"{name}_height": row[f"{name}_px"] / height for name in ("hd95", "assd")}
        if spacing:
            row |= metrics.distances_mm(*pair, spacing)
        rows.append(row)
    return rows


def _ratios_of_case(structures: list[str], *masks: np.ndarray) -> dict[str, float | None]:
    if structures[0] != "lungs":
        return {}
    widest = [[extent(mask[..., k]) for k in (structures.index("heart"), 0)] for mask in masks]
    return dict(zip(RATIOS, (ratio(*found) for found in widest), strict=True))


def _scores(rows: pd.DataFrame, config: EvaluateConfig) -> dict:
    present, absent = rows[rows["truth_pixels"] > 0], rows[rows["truth_pixels"] == 0]
    names = [name for name in rows.columns[rows.columns.get_loc("predicted_pixels") + 1 :] if name not in RATIOS]

    def summaries(part):
        known = {name: part[name].dropna() for name in names}  # millimetres are known of some cases only
        return {
            name: stats.describe(values, config.confidence, config.resamples, config.seed)
            for name, values in known.items()
            if len(values)
        }

    scores: dict = {"n": len(present)}
    if len(present):
        scores |= summaries(present)
        scores["classes"] = {label: {"n": len(part), **summaries(part)} for label, part in present.groupby("label")}
        by_class = [part["dice"] for _, part in present.groupby("label")]
        scores["macro"] = {"dice": stats.macro(by_class, config.confidence, config.resamples, config.seed)}
    if len(absent):
        scores["absent"] = {"n": len(absent), "false_positives": int((absent["predicted_pixels"] > 0).sum())}
    return scores


def score_baselines(dataset: Dataset, folds: list[int]) -> pd.DataFrame:
    """Score the two baselines on the test cases of some folds, for the first structure.

    Returns
    -------
    DataFrame
        The columns of `score`, preceded by ``method``: ``mean_shape`` or ``otsu``.
    """
    images, masks, cases, structure = dataset.images, dataset.masks, dataset.cases, dataset.structures[0]
    identities = cases[["case_id", "label", "fold"]].to_dict("records")

    def tasks():
        for fold in folds:
            atlas = references.mean_shape(take(masks, n)[..., 0] > 0 for n in np.flatnonzero(cases["fold"] != fold))
            for n in np.flatnonzero(cases["fold"] == fold):
                yield identities[n], take(images, n), take(masks, n)[..., :1] > 0, atlas[..., None], structure

    rows = (row for found in starmap(_measure_baselines, tasks()) for row in found)
    return pd.DataFrame(rows).sort_values("method", kind="stable")


def _measure_baselines(identity: dict, image, truth, atlas, structure: str) -> list[dict]:
    found = {"mean_shape": atlas, "otsu": references.otsu(image)[..., None]}
    return [
        row for name, mask in found.items() for row in _measure([structure], {"method": name} | identity, truth, mask)
    ]
