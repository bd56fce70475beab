"""Summarise what a run finds in JSRT: both lungs, the heart and the cardiothoracic ratio, case by case.

    cxrseg evaluate phantom --on folder:jsrt-246.zip
    python experiments/jsrt.py phantom jsrt-246

The heart of the phantoms was steered by 60 radiographs, those that come first by the SHA-256 of their names
(``decision``). The others were scored when the model was final. Writes ``book/published/jsrt.json`` and, with a row per
radiograph, ``jsrt.csv``.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import pandas as pd

from cxrseg import paths, provenance
from cxrseg.config import EvaluateConfig
from cxrseg.evaluate import stats
from cxrseg.evaluate.scores import RATIOS, compare_ratios
from cxrseg.files import write_csv, write_json

FILMS, DECISION = 246, 60
"""Number of radiographs, and of those on which decisions may be based."""


LARGE = 0.54
"""Reference ratio above which a heart is counted as large, apart from the others."""


def decision_names(names: list[str]) -> set[str]:
    """Return the names of the radiographs on which decisions may be based, given all names without their suffix."""
    if len(names) != FILMS:  # others would silently give another choice
        sys.exit(f"{DECISION} of {FILMS} radiographs of JSRT were chosen: got {len(names)}")
    return set(sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[:DECISION])


def table(cases: pd.DataFrame) -> pd.DataFrame:
    """Return a row per radiograph: its name and group, the Dice of each structure, and both cardiothoracic ratios."""
    wide = cases.pivot_table("dice", "case_id", "structure", sort=False).add_prefix("dice_")
    wide = wide.join(cases[cases["structure"] == "heart"].set_index("case_id")[list(RATIOS)])
    wide.index = [Path(str(case_id)).stem for case_id in wide.index]
    chosen = decision_names(list(wide.index))
    wide.insert(0, "group", ["decision" if name in chosen else "others" for name in wide.index])
    return wide.rename_axis("name").reset_index()


def summarise(rows: pd.DataFrame) -> dict:
    """Summarise the Dice of each structure and the agreement of the ratios, of all films and by the size of hearts."""
    structures = {
        name.removeprefix("dice_"): stats.describe(rows[name]) for name in rows if str(name).startswith("dice_")
    }
    large, config = rows["truth_ctr"] > LARGE, EvaluateConfig()
    ratios = {"ctr": rows, "ctr_large": rows[large], "ctr_rest": rows[~large]}
    return {
        "n": len(rows), "structures": structures,
        **{name: compare_ratios(part, config) for name, part in ratios.items()},
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("dataset")
    options = parser.parse_args()
    rows = table(pd.read_csv(paths.external(options.run, options.dataset) / "cases.csv"))
    groups = {name: summarise(part) for name, part in rows.groupby("group")}
    for name, part in groups.items():
        low, high = part["ctr"]["limits"]
        print(f"{name} n {part['n']}")
        for structure, scores in part["structures"].items():
            print(f"  {structure:10s} mean {scores['mean']:.4f} p5 {scores['p5']:.4f} min {scores['min']:.4f}")
        print(
            f"  ctr error {part['ctr']['error']['mean']:.4f} bias {part['ctr']['bias']['mean']:+.4f} "
            f"limits {low:+.4f} {high:+.4f} r {part['ctr']['r']:.4f} agree {part['ctr']['agree']:.4f}"
        )
    command = f"python experiments/jsrt.py {options.run} {options.dataset}"
    write_csv(paths.published() / "jsrt.csv", rows)
    write_json(
        paths.published() / "jsrt.json",
        {"command": command, **groups, "large_above": LARGE, "provenance": provenance.record()},
    )


if __name__ == "__main__":
    main()
