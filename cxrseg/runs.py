"""A run: one folder with its study, its notebooks as executed, and what they made."""

import fcntl
import hashlib
import json
import platform
import re
import subprocess
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cxrseg import __version__, paths
from cxrseg.config import EvaluateConfig, Study
from cxrseg.studies import differences, read_study, read_sweep, write_study

PACKAGES = ("keras", "tensorflow-cpu", "tensorflow", "jax", "torch", "numpy", "scipy", "pandas", "scikit-image")

CODE = ("cxrseg", "benchmarks", "notebooks", "studies", "Snakefile")
"""What numbers depend on, in the checkout."""

TRAINING = ("fold", "n_training", "n_validation", "n_testing", "epochs", "best_epoch", "seconds", "commit")
"""What the summary tells of each fold's training."""


def start(studies: dict[str, Study]) -> None:
    """Make the folders of runs, each with its ``study.yml``, or go on with those that have the same parameters.

    Only the scoring and the number of folds may differ from what is there, and what differs is printed: the networks
    that are trained stay, and all is scored anew.

    Parameters
    ----------
    studies : dict of str to Study
        By the name of the run; several are a sweep. Where one is refused, none is started.

    Raises
    ------
    ValueError
        A name cannot be a run's, or a run of this name has other parameters.
    RuntimeError
        Another process is at work on one of them.
    OSError
        A folder cannot be written.
    """
    changes = {name: _changes(name, study) for name, study in studies.items()}
    with ExitStack() as locks:
        for name in changes:
            paths.run(name).mkdir(parents=True, exist_ok=True)
            locks.enter_context(locked(name))
        for name, changed in changes.items():
            folder = paths.run(name)
            if changed is not None:
                for key, (old, new) in changed.items():
                    print(f"run {name!r}: {key} {old!r} -> {new!r}")
                write_study(studies[name], folder / "partial-study.yml")
                (folder / "partial-study.yml").replace(folder / "study.yml")


@contextmanager
def locked(name: str):
    """Hold a run's lock file, which is free again when every process that was handed it has ended.

    Raises
    ------
    RuntimeError
        Another process holds it.
    """
    with open(paths.run(name) / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"another process is at work on run {name!r}: wait for it, or stop it") from None
        yield lock


def _changes(name: str, study: Study) -> dict[str, tuple] | None:
    """Return what a run's ``study.yml`` is to change, nothing where it is new, None where it stays; or refuse it."""
    if name == "default":
        raise ValueError("the name 'default' is reserved for the model shipped with cxrseg; choose another --name")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._=-]*", name):
        raise ValueError(f"--name {name}: expected letters, digits and any of . _ = -, first a letter or digit")
    folder = paths.run(name)
    if not (folder / "study.yml").is_file():
        return {}
    changed = differences(read_study(folder / "study.yml"), study)
    mixed = {
        key: pair
        for key, pair in changed.items()
        if not key.startswith("evaluate.") and key not in ("name", "title", "run_folds")
    }
    if mixed:
        listed = ", ".join(f"{key} {old!r} -> {new!r}" for key, (old, new) in mixed.items())
        raise ValueError(
            f"run {name!r} exists with other parameters ({listed}); "
            f"give this one a name of its own (cxrseg run … --name …), or remove {_short(folder)} first"
        )
    return changed or None


def study(name: str) -> Study:
    """Return the study of a run.

    Raises
    ------
    FileNotFoundError
        There is no such run.
    """
    file = paths.run(name) / "study.yml"
    if not file.is_file():
        known = sorted(path.parent.name for path in paths.runs().glob("*/study.yml"))
        raise FileNotFoundError(f"no run {name!r} in {_short(paths.runs())}; there are: {', '.join(known) or 'none'}")
    return read_study(file)


def of(name: str) -> list[str]:
    """Return the runs that a name stands for: that of a run itself, or of a study that is a sweep."""
    file = paths.study_file(name)
    if (paths.run(name) / "study.yml").is_file() or not file.is_file():
        return [name]
    return [study.name + suffix for suffix, study in read_sweep(file).items()]


def summary(name: str) -> dict:
    """Return ``summary.json`` of an evaluated run."""
    file = paths.run(name) / "summary.json"
    if not file.is_file():
        raise FileNotFoundError(f"run {name!r} has not been evaluated: {_short(file)} is missing")
    return json.loads(file.read_text())


def summarise(name: str, config: EvaluateConfig, folds: list[Path], scores: dict) -> dict:
    """Complete the scores of a run with where they come from, and write ``summary.json``.

    Parameters
    ----------
    name : str
    config : EvaluateConfig
    folds : list of Path
        The folders of the trained folds.
    scores : dict
        As `cxrseg.evaluate.evaluate` returns them.

    Returns
    -------
    dict
        The content of ``summary.json``.
    """
    dataset = json.loads((paths.data(name) / "dataset.json").read_text())
    records = [json.loads((fold / "train.json").read_text()) for fold in folds]
    has_study = (paths.run(name) / "study.yml").is_file()  # a notebook run on its own belongs to no study
    content = {
        "study": study(name).name if has_study else "",
        "run": name,
        "title": study(name).title if has_study else f"Notebooks run on their own ({name})",
        **scores,
        "parameters": {
            "run_folds": len(folds),
            "data": {**dataset["parameters"], "path": Path(dataset["parameters"]["path"]).name},
            "train": records[0]["config"],
            "evaluate": config.model_dump(),
        },
        "provenance": provenance(
            dataset_fingerprint=dataset["fingerprint"],
            refused=len(dataset["refused"]),
            duplicates=len(dataset["duplicates"]),
            # Of folds that were trained in several ways, all of them: such a run is comparable with no other.
            **{key: ", ".join(sorted({record[key] for record in records})) for key in ("precision", "backend")},
            seeds={
                "data": dataset["parameters"]["seed"],
                "train": records[0]["config"]["seed"],
                "evaluate": config.seed,
            },
            durations_s={"data": dataset["seconds"], "train": sum(record["seconds"] for record in records)},
            training=[{key: record[key] for key in TRAINING} for record in records],
        ),
    }
    write_summary(paths.run(name) / "summary.json", content)
    return content


def write_summary(path: Path, content: dict) -> None:
    """Write a summary that appears whole, numbers rounded to six digits."""
    partial = path.with_name(f"partial-{path.name}")
    partial.write_text(json.dumps(_rounded(content), indent=1, allow_nan=False) + "\n")
    partial.replace(path)


def parameters(study: Study) -> dict:
    """Return a study's keys for the record; of a data path only the last part, which says nothing of a machine."""
    content = study.model_dump()
    content["data"]["path"] = Path(content["data"]["path"]).name
    return content


def provenance(**details) -> dict:
    """Record what numbers come from: code, versions, machine, time, and the `details` given."""
    from cxrseg import hardware

    return {
        **commit(),
        "cxrseg": __version__,
        "code": code_fingerprint(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES if _installed(name)},
        "hardware": hardware.describe(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **details,
    }


def commit() -> dict:
    """Return the git commit of the checkout and whether files differ from it; unknown without git.

    Published numbers do not count: they are made from the rest, one command after another. Of files that git does
    not know, those count that lie among the code and the studies.
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
    """Digest this package's source files, so that a copy without git is known too."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def _rounded(value):
    if isinstance(value, dict):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _short(path: Path) -> str:
    """Return a path as a person at the checkout would write it."""
    try:
        return str(path.relative_to(paths.root()))
    except (ValueError, FileNotFoundError):
        return str(path)
