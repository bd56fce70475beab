"""Is the default model what its command makes? Hold a new run of the study `phantom` against the shipped network.

    cxrseg run phantom
    python benchmarks/again.py phantom

Both have scored the same made cases. Writes ``book/published/again.json``.
"""

import json
import sys

from cxrseg import paths, runs


def main(run: str) -> None:
    """Compare the Dice, and say how many phantoms a second were made and learnt from."""
    shipped = json.loads(paths.model("default").with_suffix(".json").read_text())["scores"]
    summary = runs.summary(run)
    if summary["n_cases"] != shipped["cases"]:
        sys.exit(f"run {run!r} scored {summary['n_cases']:,} cases, the shipped network {shipped['cases']:,}")
    seconds = summary["provenance"]["durations_s"]["data"]
    record = json.loads((paths.fold(run, 0) / "train.json").read_text())
    made = sum(record[f"n_{part}"] for part in ("training", "validation", "testing"))
    content = {
        "command": f"python benchmarks/again.py {run}",
        "cases": shipped["cases"],
        "dice": {"shipped": shipped["dice"], "again": summary["dice"]["mean"]},
        "difference": summary["dice"]["mean"] - shipped["dice"],
        "phantoms": made,
        "seconds": {"making": seconds, "learning": record["seconds"]},
        # A phantom is made and learnt from, one after the other.
        "phantoms_per_second": 1 / (seconds / made + record["seconds"] / record["n_training"]),
        "provenance": summary["provenance"],
    }
    runs.write_summary(paths.published() / "again.json", content)
    print(json.dumps({key: content[key] for key in ("dice", "difference", "seconds", "phantoms_per_second")}, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
