"""Commit the numbers of a run: copy its summary to book/published/, with the command that made it.

    python benchmarks/publish.py quex "cxrseg run quex --data covid-qu-ex-1500.zip"

No image goes along, and of paths only the last part.
"""

import sys

from cxrseg import paths, runs


def publish(name: str, command: str) -> None:
    """Write ``book/published/<name>.json`` from the summary of run `name`."""
    summary = runs.summary(name)
    if summary["provenance"]["dirty"]:
        sys.exit(f"run {name!r} was made from files that differ from its commit: commit, then run it again")
    paths.published().mkdir(parents=True, exist_ok=True)
    runs.write_summary(paths.published() / f"{name}.json", {"command": command, **summary})
    print(paths.published() / f"{name}.json")


if __name__ == "__main__":
    publish(*sys.argv[1:])
