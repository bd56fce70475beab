"""The command ``cxrseg publish``: bring runs and results up to date, then publish or compare them."""

from pathlib import Path

from cxrseg import paths, provenance, runs, workflow
from cxrseg.publish import experiments, results

ALL = "all"
"""Name that stands for every experiment."""

SHOWN = 30
"""Largest number of moved numbers that are shown."""


def publish(names: list[str], data: Path, check: bool, cores: int | None = None, profile: str = "") -> None:
    """Make the results of experiments, and publish them or compare them with what is published.

    Parameters
    ----------
    names : list of str
        Experiments, or ``["all"]``.
    data : Path
        Folder with the archives of the sets.
    check : bool
        Compare, and publish nothing.
    cores, profile
        As for `cxrseg.workflow.execute`.

    Raises
    ------
    ValueError
        An experiment does not exist, something that it needs is missing, or it is to be compared and is not published.
    RuntimeError
        Files differ from their commit, a result cannot be made or has moved by more than its tolerance.
    """
    if not check and provenance.commit()["dirty"]:
        raise RuntimeError(
            "files differ from their commit, so nobody could make the results again: commit them, and publish again; "
            "--check compares without publishing"
        )
    wanted = [experiments.read(name, data) for name in (experiments.names() if names == [ALL] else names)]
    for one in wanted:
        experiments.require(one)
        if check and not (paths.published() / f"{one.name}.json").is_file():
            raise ValueError(f"{one.name} is not published: there is nothing to compare with")
    studies = experiments.studies(wanted)
    runs.start(studies)
    results.made("").parent.mkdir(parents=True, exist_ok=True)
    old = [one.name for one in wanted if not results.current(one, clean=not check)]
    if old or any("/04-" not in file for file in workflow.outdated_of(studies)):
        settings = {"experiments": [one.name for one in wanted], "sets": str(Path(data).resolve())}
        stale = [f".published/{name}.json" for name in old]
        workflow.execute(list(studies), "published", cores, profile, settings, stale)
    if check:
        _compare(wanted)
        return
    if changed := [name for name in studies if runs.summary(name)["provenance"]["dirty"]]:
        raise RuntimeError(f"made from files that differ from their commit: remove the runs {', '.join(changed)}")
    for one in wanted:
        results.publish(one.name)
    print(f"{len(wanted)} published: {', '.join(one.name for one in wanted)}")


def _compare(wanted: list[experiments.Experiment]) -> None:
    """Raise a RuntimeError with one line for each number that has moved, the first ones of many."""
    lines = [line for one in wanted for line in results.moved(one.name, one.tolerance)]
    if lines:
        more = [f"… and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        raise RuntimeError("\nerror: ".join([*lines[:SHOWN], *more]))
    print(f"as published: {', '.join(one.name for one in wanted)}")
