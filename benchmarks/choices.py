"""What else might `best` be? Larger, or trained otherwise or longer: on radiographs that it is not scored on.

    python benchmarks/choices.py --data A.zip

Each network learns from phantoms, then from as many patients as `best` does, and is tested on others, none of them a
case of the study `quex`: these are choices, and those are for measuring what was chosen. The recipe as it is has the
runs of `pictures.py`, which are taken where there are some. Interrupted, it goes on where it was.
"""

import argparse

from pictures import GREY, PATIENTS, plan, sample
from series import command, entry, run, variant
from sizes import FEWER

from cxrseg import paths, runs

AS_IT_IS = "as it is"
START = variant("phantom", GREY)
WIDE, FINE = ["train.base_filters=22"], ["data.image_size=256", "train.input_size=256"]
CHOICES = {
    "four radiographs a step": (START, [], ["train.batch_size=4"]),
    "width 22": ("phantom-22", WIDE, WIDE),  # the start of this width in `sizes.py`
    "phantoms of 256 pixels": ("phantom-256", FINE, []),
    "width 22, four a step, 54 passes": ("phantom-22", WIDE, [*WIDE, "train.batch_size=4", "train.epochs=54"]),
}
"""The run that each starts from, and what is changed in the studies phantom and best, by the words of the table."""


def plans() -> tuple[dict, dict]:
    """Return the runs that learn from phantoms and those that start from them, the recipe as it is first."""
    grey = variant("patients", GREY)
    phantoms, trained = ({name: part[name]} for part, name in zip(plan(), (START, grey), strict=True))
    for words, (start, drawn, learnt) in CHOICES.items():
        phantoms.setdefault(start, ("phantom", [*FEWER, *drawn]))
        trained[variant("patients", words)] = ("best", [*PATIENTS, *learnt, f"train.init={start}"])
    return phantoms, trained


def main() -> None:
    """Run what is missing, and write ``book/published/choices.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="COVID-QU-Ex, ZIP or folder")
    data = parser.parse_args().data
    phantoms, trained = plans()
    run(phantoms, data)
    run(trained, data)
    grey, *others = trained
    measured = sample(data)
    rows = {AS_IT_IS: entry(grey, without=measured)}
    for words, name in zip(CHOICES, others, strict=True):
        rows[words] = entry(name, grey, without=measured)
    content = {
        "command": command(__file__, data, grey),
        "n_patients": runs.summary(grey)["provenance"]["training"][0]["n_training"],
        "rows": rows,
        "provenance": runs.provenance(),
    }
    runs.write_summary(paths.published() / "choices.json", content)
    for words, row in rows.items():
        changes = {measure: part["ci95"] for measure, part in row.get("difference", {}).items()}
        print(f"{words:30s} n {row['n']} {row['mean']:.4f} p5 {row['p5']:.3f}", changes)


if __name__ == "__main__":
    main()
