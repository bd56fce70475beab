"""Sets of radiographs that a run is scored on: as the command line names them, and where their scores are kept."""

import hashlib
import os
from pathlib import Path

from cxrseg import paths, runs
from cxrseg.data.dataset import exists
from cxrseg.data.sources import SOURCES
from cxrseg.files import digest, read_json, state

RUN = "run"
"""The source that stands for the prepared dataset of a run."""


def parse(on: str) -> tuple[str, Path]:
    """Split ``SOURCE:PATH`` into the source and the archive or folder; for ``run:NAME`` that of the run's dataset.

    Raises
    ------
    FileNotFoundError
        There is no such run.
    ValueError
        The source is unknown, or there is nothing at the path.
    """
    source, _, given = on.partition(":")
    known = [*(name for name in SOURCES if name != "phantom"), RUN]
    if source not in known or not given:
        raise ValueError(f"--on {on}: expected SOURCE:PATH with a source of {', '.join(known)}")
    path = paths.data(given) if source == RUN else Path(given).expanduser()
    if source == RUN and not exists(path):
        runs.study(given)  # says which runs there are, if this is none
        raise ValueError(f"--on {on}: run {given!r} has no prepared dataset: cxrseg book {given}")
    if not path.exists():
        raise ValueError(f"--on {on}: no such file or folder: {given}")
    return source, path


def set_name(source: str, path: Path) -> str:
    """Return the name under which results on a dataset are kept: that of its run, folder, or archive."""
    return path.parent.name if source == RUN else paths.dataset_name(path)


def place(path: Path) -> str:
    """Return a digest of where a set lies, which does not name the folders of a machine."""
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()


def require_same(folder: Path, source: str, path: Path) -> None:
    """Refuse to replace the scores of another set that has the same name.

    Parameters
    ----------
    folder : Path
        Where the scores are kept.
    source, path
        The set that is to be scored.

    Raises
    ------
    ValueError
        The scores in the folder are those of a set that lies elsewhere and holds other files.
    """
    if not (folder / "summary.json").is_file():
        return
    old = read_json(folder / "summary.json")
    if old["source"] == source and (source == RUN or old.get("place", place(path)) == place(path)):
        return
    if old.get("state") == state(path) or old.get("digest") == digest(path):
        return
    raise ValueError(
        f"{folder} holds the scores of another set called {folder.name!r} ({old['source']}, {old['n_cases']} cases): "
        "rename one of the two sets, or remove that folder"
    )
