"""What a dataset was prepared from: whether it is still there, and unchanged."""

from collections.abc import Iterable
from pathlib import Path

from cxrseg import paths, runs
from cxrseg.data.dataset import exists
from cxrseg.files import digest, state


def is_unchanged(record: dict) -> bool:
    """Return whether the files that a dataset was prepared from have the same content today.

    Parameters
    ----------
    record : dict
        Its ``dataset.json``. Files that are gone, or that it knows nothing of, are believed unchanged.
    """
    path = Path(record.get("parameters", {}).get("path", "")).expanduser()
    if not record.get("source_state") or not path.exists() or record["source_state"] == state(path):
        return True
    return record["source_digest"] == digest(path)  # only dates differ, as after copying


def require(names: Iterable[str]) -> None:
    """Refuse to prepare runs again whose radiographs are gone: Snakemake would delete what was prepared.

    Raises
    ------
    ValueError
        There is nothing at the path of a run's radiographs.
    """
    for name in names:
        path = runs.study(name).data.path
        if path and not Path(path).expanduser().exists():
            why = "has to be prepared again, by other code, and" if exists(paths.data(name)) else "cannot be prepared:"
            raise ValueError(
                f"run {name!r} {why} there are no radiographs at {path}; put them there, or say where they are: "
                "cxrseg run … --data PATH"
            )
