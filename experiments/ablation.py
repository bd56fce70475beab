"""Ablation: revert one change of the study `best` at a time, and compare the Dice on the same cases and folds.

    python experiments/ablation.py --data A.zip

The paper's recipe, the study `quex`, is scored too. An interrupted experiment resumes where it stopped.
"""

import argparse
import math

import numpy as np
from scipy.stats import t
from series import command, difference, entry, rescore, run, variant
from zero_shot import decision_cases, pairs, summarise

from cxrseg import paths, provenance, runs
from cxrseg.evaluate import compare
from cxrseg.files import write_json

SCRATCH, RANDOM = "train.init=", "from random weights"
PAPER = "the paper's recipe"
# Runs that differ only by chance, which gives the smallest difference that a change must exceed.
SEEDS = {"another seed": ["train.seed=2024"], "a third seed": ["train.seed=2025"]}
CHANGES = {
    RANDOM: [SCRATCH],
    "images of 192 pixels": ["train.input_size=192"],
    "images of 128 pixels": ["train.input_size=128"],
    "no augmentation": ["train.augment=false"],
    "cross-entropy alone": ["train.loss=cross_entropy"],
    "constant learning rate": ["train.schedule=constant"],
    "the last weights, not their mean": ["train.averaging=0"],
    "the mask as it comes": ["evaluate.pieces=0"],
    **SEEDS,
    # A network without batch normalisation cannot start from the default weights, so compare with random weights.
    "random weights, no batch normalisation": [SCRATCH, "train.batch_norm=false"],
}
"""Overrides of the study that revert each change, by their label in the table."""


def scoring(change: str) -> bool:
    """Return whether a change affects only the evaluation, so that no network is trained."""
    return all(key.startswith("evaluate.") for key in CHANGES[change])


def plan() -> dict[str, tuple[str, list[str]]]:
    """Return both recipes and the runs with a changed training, for `series.run`."""
    learning = {variant("best", change): ("best", CHANGES[change]) for change in CHANGES if not scoring(change)}
    return {"quex": ("quex", []), "best": ("best", []), **learning}


def chance(means: list[float]) -> dict:
    """Estimate the variation by chance of the mean Dice of a training.

    Parameters
    ----------
    means : list of float
        Mean Dice of trainings that differ only in their seed.

    Returns
    -------
    dict
        ``means``. ``sd``, their standard deviation. ``least_difference``, the difference between two trainings that
        chance alone exceeds in one of twenty comparisons, by Student's t distribution with n - 1 degrees of freedom.
    """
    sd, n = float(np.std(means, ddof=1)), len(means)
    return {"means": means, "sd": sd, "least_difference": float(t.ppf(0.975, n - 1)) * sd * math.sqrt(2)}


def main() -> None:
    """Run the missing runs and write ``book/published/ablation.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="COVID-QU-Ex, ZIP or folder")
    data = parser.parse_args().data
    # The phantoms behind `best` were tuned on some of these cases. This comes first, because it rejects other archives.
    decided = decision_cases(case.case_id for case in pairs(data))
    run(plan(), data)
    rows = {"best": entry("best")}
    for change in CHANGES:
        name = variant("best", change)
        if scoring(change):
            rescore(name, "best", "best", data, CHANGES[change])
        rows[change] = entry(name, "best")
        if change.startswith("random weights,"):
            random = compare.cases(variant("best", RANDOM))
            rows[change]["difference_from_random"] = difference(compare.cases(name), random)
    rows[PAPER] = entry("quex", "best")
    best, summary = compare.cases("best"), runs.summary("best")
    seen = best["case_id"].isin(decided)
    content = {
        "command": command(__file__, data, "best"),
        "rows": rows,
        "chance": chance([rows[name]["mean"] for name in ("best", *SEEDS)]),
        "steered": {"seen": summarise(best[seen]), "others": summarise(best[~seen])},
        "parameters": summary["parameters"],
        "dataset_fingerprint": summary["provenance"]["dataset_fingerprint"],
        "provenance": provenance.record(),
    }
    write_json(paths.published() / "ablation.json", content)
    for change, row in rows.items():
        change_in = row.get("difference", {}).get("dice", {})
        print(f"{change:42s} {row['mean']:.4f} {row['p5']:.3f} {change_in.get('mean_difference', 0):+.4f}", end=" ")
        print(change_in.get("ci95", ""), f"{row['seconds_per_fold']:.0f} s")


if __name__ == "__main__":
    main()
