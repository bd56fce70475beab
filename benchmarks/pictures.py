"""Are the two pictures of a radiograph needed? Grey levels as they are, against them, before and after patients.

    python benchmarks/pictures.py --data A.zip

Two networks learn from the same phantoms, and each, as it is, reads the real radiographs. Each then learns from as many
patients as `best` does, and is tested on others, none of them a case of the study `quex`: this is a choice, and those
are for measuring what was chosen. Interrupted, it goes on where it was.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd
from series import arithmetic, command, copy, difference, run, variant
from sizes import FEWER
from zero_shot import decision_cases, pairs, summarise

from cxrseg import compare, paths, runs
from cxrseg.sources import covid_qu_ex
from cxrseg.studies import read_study

GREY = "grey levels as they are"
INPUTS = {"two pictures": ["train.contrast=equalised"], GREY: []}
"""What the network sees, by the words of the table: overrides of both studies."""

# Four fifths of the study's cases, as in its folds; two folds of all pairs have enough others to test on.
PATIENTS = ["data.cases_per_class={}", "train.cases=234", "run_folds=2"]


def plan() -> tuple[dict, dict]:
    """Return the runs that learn from phantoms and those that start from them, by input, for `series.run`."""
    phantoms, trained = {}, {}
    for name, changes in INPUTS.items():
        start = variant("phantom", name)
        phantoms[start] = ("phantom", [*FEWER, *changes])
        trained[variant("patients", name)] = ("best", [*PATIENTS, *changes, f"train.init={start}"])
    return phantoms, trained


def read(name: str, data: str) -> pd.DataFrame:
    """Let a network that has seen no patient read all pairs, and return their scores."""
    evaluate = [sys.executable, "-m", "cxrseg.cli", "evaluate", name, "--on", f"covid_qu_ex:{data}"]
    subprocess.run(evaluate, check=True)
    rows = pd.read_csv(paths.external(name, paths.dataset_name(data)) / "cases.csv", dtype={"case_id": str})
    return rows[rows["structure"] == "lungs"].assign(dataset=Path(data).stem)


def sample(data: str) -> set[str]:
    """Return the cases of the study `quex`, which are those of `best`."""
    source = read_study(paths.study_file("quex"), [f"data.path={data}"]).data
    return {case.case_id for case in covid_qu_ex.cases(source)}


def side_by_side(tables: list[pd.DataFrame], case_ids: set[str]) -> dict:
    """Sum up both inputs on some of the cases, and the second minus the first, case by case."""
    pair = [rows[rows["case_id"].isin(case_ids)] for rows in tables]
    sums = dict(zip(INPUTS, map(summarise, pair), strict=True))
    return {"inputs": sums, "grey_minus_two": difference(pair[1], pair[0])}


def main() -> None:
    """Run what is missing, and write ``book/published/pictures.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="COVID-QU-Ex, ZIP or folder")
    data = parser.parse_args().data
    phantoms, trained = plan()
    first, second = phantoms
    every = {case.case_id for case in pairs(data)}
    decided = decision_cases(every)  # asked first: it stops with another archive
    run({first: phantoms[first]}, data)
    copy(second, first, "data", "notebooks/01-data.ipynb")  # the same phantoms for both
    run(phantoms, data)
    run(trained, data)
    if arithmetic(first) != arithmetic(second):
        sys.exit(f"runs {first!r} and {second!r} were computed differently: remove one of them, and run it again")
    unseen, tested = [read(name, data) for name in phantoms], [compare.cases(name) for name in trained]
    content = {
        "command": command(__file__, data, first),
        "n_phantoms": runs.summary(first)["provenance"]["training"][0]["n_training"],
        "n_patients": runs.summary(next(iter(trained)))["provenance"]["training"][0]["n_training"],
        "no_patient": {
            "decision": side_by_side(unseen, decided),
            "others": side_by_side(unseen, every - decided),
        },
        "patients": side_by_side(tested, every - sample(data)),
        **arithmetic(first),
        "provenance": runs.provenance(),
    }
    runs.write_summary(paths.published() / "pictures.json", content)
    for name, part in {**content["no_patient"], "patients": content["patients"]}.items():
        means = {words: f"{row['mean']:.4f} p5 {row['p5']:.3f}" for words, row in part["inputs"].items()}
        print(name, means, part["grey_minus_two"])


if __name__ == "__main__":
    main()
