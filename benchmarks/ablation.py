"""Which change brought what? The study `best`, with one thing at a time put back, on the same cases and folds.

    python benchmarks/ablation.py --data A.zip

Also the paper's recipe, if its run `quex` is here or was published. Interrupted, it goes on where it was; with --only,
what was published of the other changes stays, if it was held against the same `best`.
"""

import argparse
import shlex
from pathlib import Path

from series import before, entry, known, published, rescore, result, run, variant
from zero_shot import decision_cases, summarise

from cxrseg import paths, runs
from cxrseg.config import DataConfig
from cxrseg.sources import covid_qu_ex

SCRATCH, RANDOM = "train.init=", "from random weights"
PAPER = "the paper's recipe"
CHANGES = {
    RANDOM: [SCRATCH],
    "images of 192 pixels": ["train.input_size=192"],
    "images of 128 pixels": ["train.input_size=128"],
    "no augmentation": ["train.augment=false"],
    "cross-entropy alone": ["train.loss=cross_entropy"],
    "constant learning rate": ["train.schedule=constant"],
    "the last weights, not their mean": ["train.averaging=0"],
    "the mask as it comes": ["evaluate.pieces=0"],
    # Nothing but chance: what a change must be larger than.
    "another seed": ["train.seed=2024"],
    "a third seed": ["train.seed=2025"],
    # Another number of channels or layers cannot start from the shipped weights: compare with random ones.
    "random weights, grey levels as they are": [SCRATCH, "train.contrast=as_is"],
    "random weights, no batch normalisation": [SCRATCH, "train.batch_norm=false"],
}
"""What is put back, by the words of the table: overrides of the study."""


def scoring(change: str) -> bool:
    """Tell whether a change leaves the networks as they are."""
    return all(key.startswith("evaluate.") for key in CHANGES[change])


def plan(changes: list[str]) -> dict[str, tuple[str, list[str]]]:
    """Return the runs that learn otherwise, and `best` where it is needed, for `series.run`."""
    learning = {variant("best", change): ("best", CHANGES[change]) for change in changes if not scoring(change)}
    best = {} if published("best") and not any(map(scoring, changes)) else {"best": ("best", [])}
    return best | learning


def main() -> None:
    """Run what is missing, and write ``book/published/ablation.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="COVID-QU-Ex, ZIP or folder")
    parser.add_argument(
        "--only", nargs="*", choices=list(CHANGES), default=list(CHANGES), metavar="CHANGE",
        help="these changes alone; with none, only the paper's recipe",
    )  # fmt: skip
    options = parser.parse_args()
    run(plan(options.only), options.data)
    best, summary = result("best")
    measured = {"best": entry("best")}
    for change in options.only:
        name = variant("best", change)
        if scoring(change):
            rescore(name, "best", "best", options.data, CHANGES[change])
        measured[change] = entry(name, "best")
    if known("quex"):
        measured[PAPER] = entry("quex", "best")
    measured = before("ablation", measured["best"], "rows", "best").get("rows", {}) | measured
    rows = {name: measured[name] for name in ("best", *CHANGES, PAPER) if name in measured}
    archive = DataConfig(source="covid_qu_ex", path=options.data)
    # The phantoms that `best` starts from were steered on some of the cases.
    seen = best["case_id"].isin(decision_cases(case.case_id for case in covid_qu_ex.cases(archive)))
    changes = [change for change in CHANGES if change in rows]
    command = f"python benchmarks/ablation.py --data {Path(options.data).name}"
    if changes != list(CHANGES):
        command = shlex.join([*command.split(), "--only", *changes])
    content = {
        "command": command,
        "rows": rows,
        "steered": {"seen": summarise(best[seen]), "others": summarise(best[~seen])},
        "parameters": summary["parameters"],
        "dataset_fingerprint": summary["provenance"]["dataset_fingerprint"],
        "provenance": runs.provenance(),
    }
    runs.write_summary(paths.published() / "ablation.json", content)
    for change, row in rows.items():
        change_in = row.get("difference", {}).get("dice", {})
        print(f"{change:42s} {row['mean']:.4f} {row['p5']:.3f} {change_in.get('mean_difference', 0):+.4f}", end=" ")
        print(change_in.get("ci95", ""), f"{row['seconds_per_fold']:.0f} s")


if __name__ == "__main__":
    main()
