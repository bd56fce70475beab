"""Where numbers come from: code, versions, machine and time."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cxrseg import paths
from cxrseg.files import digest, read_json, state, write_text

PACKAGE = Path(__file__).parent

PACKAGES = ("keras", "tensorflow-cpu", "tensorflow", "jax", "torch", "numpy", "scipy", "pandas", "scikit-image")

CODE = ("cxrseg", "workflow", "experiments", "benchmarks", "tools", "notebooks", "studies", "Snakefile")
"""Files and folders of the checkout that numbers depend on."""

SHARED = ("config", "files", "hardware")
"""Modules that the numbers of every stage depend on; those that place a run and call its stages change none."""

ROOMS = {"data": ["data"], "train": ["train"], "evaluate": ["evaluate", "measure"]}
"""Folders of this package that each stage depends on, but for those whose results its record names."""


def record(**details) -> dict:
    """Return what numbers come from: code, versions, machine, time, and the `details` given."""
    from cxrseg import hardware

    return {
        **commit(),
        "cxrseg": version("cxrseg") if _installed("cxrseg") else "a copy that is not installed",
        "code": code_fingerprint(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES if _installed(name)},
        "hardware": hardware.describe(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **details,
    }


def commit() -> dict:
    """Return the git commit of the checkout and whether files differ from it; unknown without git.

    Published numbers do not count as changes, because they are made from everything else. Untracked files count only
    where they lie among the code and the studies.
    """
    try:
        folder = paths.root()
        head = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "diff", "--name-only", "HEAD", "--", ".", ":!book/published")
        added = _git(folder, "ls-files", "--others", "--exclude-standard", "--", *CODE)
        return {"commit": head, "dirty": bool(changed or added)}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": "unknown", "dirty": False}


def code_fingerprint() -> str:
    """Return a digest of this package's source files, which identifies a copy without git as well."""
    return _digest(PACKAGE.rglob("*.py"))


def stage_code(*folders: str) -> list[Path]:
    """Return the source files that a stage depends on: folders of this package, and what all stages share."""
    found = (file for name in folders for file in (PACKAGE / name).rglob("*") if file.suffix in (".py", ".json"))
    return sorted([*(PACKAGE / f"{name}.py" for name in SHARED), *found])


def rooms_fingerprint(*folders: str) -> str:
    """Return a digest of the source files in folders of this package, and of what all stages share."""
    return _digest(stage_code(*folders))


def stage_fingerprint(stage: str, source: str = "") -> str:
    """Return a digest of the source files that made a stage's result, which its record keeps.

    Parameters
    ----------
    stage : str
        The folder of the stage in this package: ``data``, ``train`` or ``evaluate``.
    source : str
        Where the radiographs of ``data`` come from; the code of the phantoms counts where it drew them.
    """
    return rooms_fingerprint(*ROOMS[stage], *(["phantom"] if source == "phantom" else []))


def has_moved(dataset: Path, old: str, new: str) -> bool:
    """Return whether what a dataset was or will be prepared from at one path lies at another now, the same.

    Parameters
    ----------
    dataset : Path
        The folder of the dataset, which need not be prepared yet.
    old, new : str
        ``data.path`` as recorded, and as it is to be.
    """
    record, before, there = dataset / "dataset.json", Path(old).expanduser(), Path(new).expanduser()
    if not (old and new and there.exists()):
        return False
    if record.is_file():
        return read_json(record).get("source_digest") == digest(there)
    return before.exists() and digest(before) == digest(there)


def move(dataset: Path, path: str) -> None:
    """Write another path into the record of a dataset, if it is prepared."""
    file = dataset / "dataset.json"
    if file.is_file():
        record = read_json(file)
        record["parameters"]["path"], record["source_state"] = path, state(Path(path).expanduser())
        write_text(file, json.dumps(record, indent=2) + "\n")


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.relative_to(PACKAGE).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False
