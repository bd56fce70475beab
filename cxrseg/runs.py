"""A run is one folder with its study, its executed notebooks, and what they made."""

import hashlib
import re
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from cxrseg import files, models, paths, provenance
from cxrseg.config import DataConfig, EvaluateConfig, Study
from cxrseg.files import read_json, write_json, write_whole
from cxrseg.studies import differences, read_study, read_sweep, write_study

TRAINING = ("fold", "n_training", "n_validation", "n_testing", "epochs", "best_epoch", "seconds", "commit")
"""Keys of each fold's ``train.json`` that go into the summary."""

REPORT = ""
"""What stands for the rendered report where a run is named that a process works on."""


def start(studies: dict[str, Study]) -> None:
    """Create the folders of runs, each with its ``study.yml``, or continue runs that have the same parameters.

    Only scoring, number of folds, name and title of an existing run may differ, and where its radiographs lie, if they
    are the same. The differences are printed, the trained networks are kept, and everything is scored again.

    Parameters
    ----------
    studies : dict of str to Study
        Studies by the name of the run; several studies are a sweep. If one is refused, none is started.

    Raises
    ------
    ValueError
        A name is not valid for a run, a run of this name has other parameters, a study lacks its radiographs, or the
        checkout lies where Snakemake cannot work.
    RuntimeError
        Another process works on one of them.
    OSError
        A folder cannot be written.
    """
    if set("{}") & set(str(paths.root())):
        raise ValueError(f"{paths.root()}: Snakemake takes braces in a path for wildcards; rename the folder")
    for name, study in studies.items():
        source, known = study.data.source, study.name if paths.study_file(study.name).is_file() else "STUDY"
        if not study.data.path and source not in ("phantom", "rsua"):  # drawn, and downloaded
            raise ValueError(f"run {name!r} needs radiographs (data.source {source}): cxrseg run {known} --data PATH")
    for name, study in studies.items():
        _changes(name, study)
    with ExitStack() as locks:
        for name in studies:
            paths.run(name).mkdir(parents=True, exist_ok=True)
            locks.enter_context(locked(name))
        for name, study in studies.items():
            folder = paths.run(name)
            changed = _changes(name, study)  # once more: another process may have made the run in the meantime
            if changed is not None:
                for key, (old, new) in changed.items():
                    print(f"run {name!r}: {key} {old!r} -> {new!r}")
                if "data.path" in changed:
                    provenance.move(paths.data(name), study.data.path)
                write_whole(folder / "study.yml", partial(write_study, study))


def locked(name: str):
    """Hold the lock file of a run, or of the `REPORT`: a context manager, see `cxrseg.files.locked`.

    Raises
    ------
    RuntimeError
        Another process holds it.
    """
    what = "the report" if name == REPORT else f"run {name!r}"
    return files.locked(paths.run(name) / ".lock", what)


def _changes(name: str, study: Study) -> dict[str, tuple] | None:
    """Return the changes to a run's ``study.yml``: an empty dict if the run is new, None if nothing changes."""
    if name == models.DEFAULT:
        raise ValueError(f"the name {name!r} is reserved for the model shipped with cxrseg; choose another --name")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._=-]*", name):
        raise ValueError(
            f"run name {name!r}: expected a letter or digit, then letters, digits and . _ = - (choose one with --name)"
        )
    folder = paths.run(name)
    if not (folder / "study.yml").is_file() or not _holds_results(folder):
        return {}
    changed = differences(read_study(folder / "study.yml"), study)
    moved = provenance.has_moved(paths.data(name), *changed.get("data.path", ("", "")))
    free = {"name", "title", "run_folds", *(["data.path"] if moved else [])}
    mixed = {key: pair for key, pair in changed.items() if not key.startswith("evaluate.") and key not in free}
    if mixed:
        raise ValueError(
            f"run {name!r} exists with other parameters ({_listed(mixed)}); "
            f"give this one a name of its own (cxrseg run … --name …), or remove {_short(folder)} first"
        )
    return changed or None


def _holds_results(folder: Path) -> bool:
    """Return whether a run holds more than an attempt leaves that failed before it made anything."""
    files = {file.name for file in folder.rglob("*") if file.is_file()} - {"study.yml", ".lock", "snakemake.log"}
    return any(not name.endswith((".failed.ipynb", ".partial.ipynb")) for name in files)


def admit(folder: Path, **wanted) -> None:
    """Refuse to write into a run what does not belong to it. Whatever writes a part of a run calls this first.

    Parameters
    ----------
    folder : Path
        The folder to be written: that of a run, or one directly in it.
    **wanted
        What is to be written with it, as keys of `Study`: ``data``, ``train``, ``evaluate``, ``run_folds``.

    Raises
    ------
    ValueError
        The run has other parameters: those of its ``study.yml``. A run without one, of notebooks on their own, has
        those of the data that its networks learnt from.
    """
    folder = Path(folder).resolve()
    run = next((place for place in (folder, folder.parent) if (place / "study.yml").is_file()), folder.parent)
    if (run / "study.yml").is_file():
        own = read_study(run / "study.yml")
    elif "data" in wanted and (folder / "dataset.json").is_file() and any(run.glob("fold-*/train.json")):
        record = read_json(folder / "dataset.json")
        own = Study().model_copy(update={"data": DataConfig.model_construct(**record["parameters"])})
    else:
        return
    if mixed := differences(own, own.model_copy(update=wanted)):
        raise ValueError(
            f"run {run.name!r} has other parameters ({_listed(mixed)}): nothing was written; choose another run, "
            f"or remove {_short(run)} first"
        )


def _listed(changed: dict[str, tuple]) -> str:
    return ", ".join(f"{key} {old!r} -> {new!r}" for key, (old, new) in changed.items())


def study(name: str) -> Study:
    """Return the study of a run.

    Raises
    ------
    FileNotFoundError
        There is no such run.
    ValueError
        Its ``study.yml`` is damaged.
    """
    file = paths.run(name) / "study.yml"
    if not file.is_file():
        known = sorted(path.parent.name for path in paths.runs().glob("*/study.yml"))
        raise FileNotFoundError(f"no run {name!r} in {_short(paths.runs())}; there are: {', '.join(known) or 'none'}")
    if not file.stat().st_size:
        raise ValueError(f"{_short(file)}: empty, so nobody knows how the run was made; remove the run")
    return read_study(file)


def as_made(name: str, wanted: Study) -> Study:
    """Return the study of a run that exists, and say how it differs from the one wanted; else the one wanted."""
    if not (paths.run(name) / "study.yml").is_file():
        return wanted
    own = study(name)
    if changed := {key: pair for key, pair in differences(wanted, own).items() if key != "data.path"}:
        print(f"run {name!r} differs from its study ({_listed(changed)}); `cxrseg run` applies the study")
    return own


def shown_with(name: str) -> list[str]:
    """Return the runs that a run's notebook 04 compares it with; none where it has not been executed."""
    file = paths.run(name) / "notebooks" / "04-compare.ipynb"
    compared = read_json(file)["metadata"].get("compared", {}) if file.is_file() else {}
    return [other for other in compared if other != name]


def expand(name: str) -> list[str]:
    """Return the runs that a name stands for: the run itself, or all runs of a sweep."""
    file = paths.study_file(name)
    if (paths.run(name) / "study.yml").is_file() or not file.is_file():
        return [name]
    return [study.name + suffix for suffix, study in read_sweep(file).items()]


def summary(name: str) -> dict:
    """Return ``summary.json`` of an evaluated run.

    Raises
    ------
    FileNotFoundError
        There is no such run, or it has not been evaluated.
    """
    file = paths.run(name) / "summary.json"
    if not file.is_file():
        study(name)  # says which runs there are, if this is none
        raise FileNotFoundError(f"run {name!r} has not been evaluated ({_short(file)} is missing): cxrseg book {name}")
    return read_json(file)


def digests(names: Iterable[str]) -> dict[str, str]:
    """Return a digest of the scores of each run that has been evaluated."""
    files = {name: paths.run(name) / "summary.json" for name in names}
    return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items() if file.is_file()}


def write_summary(name: str, config: EvaluateConfig, folds: list[Path], scores: dict) -> dict:
    """Add the provenance to the scores of a run, and write ``summary.json``.

    Parameters
    ----------
    name : str
    config : EvaluateConfig
    folds : list of Path
        The folders of the trained folds.
    scores : dict
        As `cxrseg.evaluate.pooled.evaluate` returns them.

    Returns
    -------
    dict
        The content of ``summary.json``.
    """
    dataset = read_json(paths.data(name) / "dataset.json")
    records = [read_json(fold / "train.json") for fold in folds]
    has_study = (paths.run(name) / "study.yml").is_file()  # a notebook that is run on its own belongs to no study
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
        "provenance": provenance.record(
            stage_code=provenance.stage_fingerprint("evaluate"),
            dataset_fingerprint=dataset["fingerprint"],
            refused=len(dataset["refused"]),
            duplicates=len(dataset["duplicates"]),
            # All values, if the folds were trained in several ways: such a run cannot be compared with another.
            **{key: ", ".join(sorted({record[key] for record in records})) for key in ("precision", "backend")},
            seeds={
                "data": dataset["parameters"]["seed"],
                "train": records[0]["config"]["seed"],
                "evaluate": config.seed,
            },
            durations_s={"data": dataset["seconds"], "train": sum(record["seconds"] for record in records)},
            training=training(records),
        ),
    }
    write_json(paths.run(name) / "summary.json", content)
    if models.card_file(name).is_file():  # of other weights, or of another threshold
        print(f"the exported network is out of date, and removed; cxrseg export {name} makes it again")
        for file in (models.card_file(name), models.graph_file(name)):
            file.unlink(missing_ok=True)
    return content


def training(records: list[dict]) -> list[dict]:
    """Return what the summary says of each fold's training, from their ``train.json``."""
    return [{key: record.get(key) for key in TRAINING} for record in records]


def parameters(study: Study) -> dict:
    """Return a study's keys for the record. Of a data path, only the last part is kept: the rest names a machine."""
    content = study.model_dump()
    content["data"]["path"] = Path(content["data"]["path"]).name
    return content


def _short(path: Path) -> str:
    """Return a path relative to the checkout, as a person would write it."""
    try:
        return str(path.relative_to(paths.root()))
    except (ValueError, FileNotFoundError):
        return str(path)
