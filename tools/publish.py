"""Publish the results of a run: copy its summary to book/published/, with the command that produced it.

    python tools/publish.py quex "cxrseg run quex --data covid-qu-ex-1500.zip"

No image is published, and of a path only its last part or the position in the archive. ``<name>.csv`` contains the
scores of each case, so that others can compare their predictions case by case.
"""

import sys

import pandas as pd

from cxrseg import paths, runs
from cxrseg.files import write_json

COLUMNS = ["case_id", "label", "structure", "dice", "hd95_px", "nsd_2px", "truth_pixels", "predicted_pixels"]


def publish(name: str, command: str) -> None:
    """Write ``book/published/<name>.json`` from the summary of run `name`, and ``<name>.csv`` from its cases."""
    summary = runs.summary(name)
    if summary["parameters"]["data"]["source"] == "folder":
        sys.exit(f"run {name!r} is of somebody's own images, whose names are nobody else's business: not published")
    if summary["provenance"]["dirty"]:
        sys.exit(f"run {name!r} was made from files that differ from its commit: commit, then run it again")
    paths.published().mkdir(parents=True, exist_ok=True)
    rows = pd.read_csv(paths.run(name) / "cases.csv", dtype={"case_id": str}, keep_default_na=False)
    rows[COLUMNS].to_csv(paths.published() / f"{name}.csv", index=False)
    write_json(paths.published() / f"{name}.json", {"command": command, **summary})
    print(paths.published() / f"{name}.json")


if __name__ == "__main__":
    publish(*sys.argv[1:])
