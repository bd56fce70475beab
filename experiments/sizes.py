"""Network size: the study `best` at several widths, each with a warm start from the same phantoms.

    python experiments/sizes.py --data A.zip

Each width is first trained on the same phantoms, fewer than for the default model, so that only the size differs.
An interrupted experiment resumes where it stopped.
"""

import argparse

from series import command, copy, entry, run, variant

from cxrseg import paths, provenance, runs
from cxrseg.files import write_json

WIDTHS = [4, 5, 7, 10, 15, 22]
"""Number of channels at the first level; the default model has 15."""

FEWER = ["data.cases_per_class={Normal: 6000, COVID: 6000, Non-COVID: 6000}", "train.averaging=0.99"]
"""Fewer phantoms, and a running mean of the weights over correspondingly fewer steps."""


def plan() -> tuple[dict, dict]:
    """Return the runs trained on phantoms and the runs that start from them, one per width, for `series.run`."""
    phantoms, trained = {}, {}
    for width in WIDTHS:
        size = f"train.base_filters={width}"
        phantoms[f"phantom-{width}"] = ("phantom", [*FEWER, size])
        trained[variant("best", f"width {width}")] = ("best", [size, f"train.init=phantom-{width}"])
    return phantoms, trained


def main() -> None:
    """Run the missing runs and write ``book/published/sizes.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="COVID-QU-Ex, ZIP or folder")
    data = parser.parse_args().data
    phantoms, trained = plan()
    first, *others = phantoms
    run({first: phantoms[first]}, data)
    for name in others:
        copy(name, first, "data", "notebooks/01-data.ipynb")  # all widths use the same phantoms
    run(phantoms, data)
    run({"best": ("best", []), **trained}, data)
    rows = {str(width): entry(name, "best") for width, name in zip(WIDTHS, trained, strict=True)}
    content = {
        "command": command(__file__, data, "best"),
        "best": entry("best"),
        "widths": rows,
        "dataset_fingerprint": runs.summary("best")["provenance"]["dataset_fingerprint"],
        "provenance": provenance.record(),
    }
    write_json(paths.published() / "sizes.json", content)
    for width, row in rows.items():
        print(f"{width:>3s} {row['n_parameters']:>9,} {row['mean']:.4f} {row['difference']['dice']}")


if __name__ == "__main__":
    main()
