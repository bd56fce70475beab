"""Summarise the zero-shot scores of a run on real radiographs, separately for those used for decisions.

    cxrseg evaluate phantom --on covid_qu_ex:covid-qu-ex-1500.zip
    python experiments/zero_shot.py phantom covid-qu-ex-1500 --out book/published/zero-shot.json

Decisions about the phantoms (shapes, thresholds, randomisations) were based on 300 randomly drawn cases, given by
`decision_cases`. The other cases are scored only after a decision. One exception is the input of the network, which was
chosen with the scores of all cases. The cases of the study `best`, as last published, are a third group.
"""

import argparse
import json
import sys

import numpy as np
import pandas as pd

from cxrseg import paths, provenance
from cxrseg.config import DataConfig
from cxrseg.data.cases import Case
from cxrseg.data.sources import covid_qu_ex
from cxrseg.evaluate import stats
from cxrseg.files import write_json

DRAWN_FROM = 1500


def pairs(data: str) -> list[Case]:
    """List all cases of COVID-QU-Ex, a ZIP or folder. Exit with a one-line error if it cannot be used."""
    try:
        return covid_qu_ex.cases(DataConfig(source="covid_qu_ex", path=data))
    except ValueError as error:
        sys.exit(f"error: {error}")


def decision_cases(case_ids, n: int = 300) -> set[str]:
    """Return the n cases on which decisions may be based, drawn with seed 300 from the sorted names."""
    names = sorted(case_ids)
    if len(names) != DRAWN_FROM:  # any other list would silently give another draw
        sys.exit(f"the decision cases were drawn from {DRAWN_FROM:,} pairs, covid-qu-ex-1500.zip: got {len(names):,}")
    return {names[k] for k in np.random.default_rng(300).choice(len(names), n, replace=False)}


def summarise(rows: pd.DataFrame) -> dict:
    """Summarise the Dice overall and by class, with the share below 0.8 and the median ratio of mask areas."""
    return {
        **stats.describe(rows["dice"]),
        "below_080": float((rows["dice"] < 0.8).mean()),
        "area_ratio": float((rows["predicted_pixels"] / rows["truth_pixels"]).median()),
        "classes": {label: stats.describe(part["dice"]) for label, part in rows.groupby("label")},
    }


def main() -> None:
    """Read the scored cases of an external validation and summarise them in three groups."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("dataset")
    parser.add_argument("--out")
    options = parser.parse_args()
    rows = pd.read_csv(paths.external(options.run, options.dataset) / "cases.csv")
    rows = rows[rows["structure"] == "lungs"]
    decided = rows["case_id"].isin(decision_cases(rows["case_id"]))
    sample = rows["case_id"].isin(pd.read_csv(paths.published() / "best.csv", dtype={"case_id": str})["case_id"])
    groups = {"decision": decided, "others": ~decided, "sample": sample}
    parts = {name: summarise(rows[group]) for name, group in groups.items()}
    for name, part in parts.items():
        low, high = part["ci95"]
        by_class = ", ".join(f"{label} {scores['mean']:.4f}" for label, scores in part["classes"].items())
        print(
            f"{name:9s} n {part['n']:5d}  mean {part['mean']:.4f} ({low:.4f} to {high:.4f})  p5 {part['p5']:.4f}  "
            f"below 0.8 {part['below_080']:.2%}  area {part['area_ratio']:.3f}  {by_class}"
        )
    if options.out:
        command = f"python experiments/zero_shot.py {options.run} {options.dataset} --out book/published/zero-shot.json"
        record = json.loads((paths.fold(options.run, 0) / "train.json").read_text())
        content = {
            "command": command, "run": options.run, "phantoms": record["n_training"], "epochs": record["epochs"],
            "parameters": record["n_parameters"],
            "training": {key: record[key] for key in ("seconds", "commit", "hardware", "precision")},
            "provenance": provenance.record(), **parts,
        }  # fmt: skip
        paths.published().mkdir(parents=True, exist_ok=True)
        write_json(paths.root() / options.out, content)


if __name__ == "__main__":
    main()
