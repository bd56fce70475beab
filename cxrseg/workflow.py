"""Hand runs to Snakemake, which knows what is made from what, and execute one stage: a notebook, whole or not at all.

The rules call ``python -m cxrseg.workflow STAGE OUTPUT PARAMETERS CORES``, PARAMETERS in JSON.
"""

import json
import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from cxrseg import paths, runs


class StageFailed(RuntimeError):
    """A stage failed. Those that do not depend on it have been executed."""


def execute(names: list[str], target: str, cores: int | None = None, profile: str = "") -> None:
    """Bring runs up to date in one call of Snakemake, so that the stages of all runs share the cores or the cluster.

    The output of the stages goes to the terminal, that of Snakemake to ``snakemake.log`` of the first run.

    Parameters
    ----------
    names : list of str
        Runs that `cxrseg.runs.start` has created: one, or those of a sweep.
    target : str
        A rule of the Snakefile: ``all``; ``book``, which renders the first run; ``matrix``, whose request
        `cxrseg.report.matrix.start` has written.
    cores : int, optional
        Processor cores; by default all of this machine, or what the profile asks for.
    profile : str
        A folder of ``profiles/``.

    Raises
    ------
    ValueError
        There is no such profile.
    StageFailed
        One line for each error.
    RuntimeError
        Another process works on one of the runs.
    """
    log = paths.run(names[0]) / "snakemake.log"
    command = [sys.executable, "-m", "snakemake", target]
    command += ["--snakefile", str(paths.root() / "Snakefile"), "--directory", str(paths.runs())]
    # A killed run leaves Snakemake's lock behind. Our lock below ends with the processes that hold it.
    command += ["--config", f"runs={json.dumps(names)}", "--rerun-incomplete", "--nolock", "--keep-going"]
    if profile:
        if not (paths.root() / "profiles" / profile / "config.yaml").is_file():
            known = ", ".join(sorted(path.name for path in (paths.root() / "profiles").iterdir()))
            raise ValueError(f"--profile {profile}: no such profile; there are: {known}")
        command += ["--profile", str(paths.root() / "profiles" / profile)]
    if cores or not profile:
        command += ["--cores", str(cores or "all")]
    with ExitStack() as locks:
        held = [locks.enter_context(runs.locked(name)).fileno() for name in names]
        words = locks.enter_context(open(log, "w"))
        with subprocess.Popen(command, stderr=words, pass_fds=held) as process:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                process.wait()  # Snakemake is interrupted as well, and stops its stages first
                raise
    if code:
        raise StageFailed("\n".join(_errors(log)) or f"Snakemake failed: see {log}")


def _errors(log: Path) -> list[str]:
    """Return the error lines of failed stages. Jobs of a cluster have log files of their own, which the log names."""
    text = log.read_text()
    files = [Path(file) for file in re.findall(r"(/.*?/slurm_logs/.*?\.log)", text)]
    lines = [
        line for part in (text, *(file.read_text() for file in files if file.is_file())) for line in part.splitlines()
    ]
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
        A cell failed: one line that names notebook, cell and error.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # the executed notebook is a page of the report
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # small matrix products gain nothing from more threads
    # Folds that train side by side share one graphics card, so none may claim all of its memory at the start.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if threads:
        os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["LOKY_MAX_CPU_COUNT"] = str(threads)
        os.environ["TF_NUM_INTEROP_THREADS"] = "1"  # layers run one after another, so more threads would only wait
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    partial, failed = output.with_suffix(".partial.ipynb"), output.with_suffix(".failed.ipynb")
    failed.unlink(missing_ok=True)
    try:
        with open(os.devnull, "w") as nowhere:  # drops warnings of libraries; errors are raised as exceptions
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
    partial.replace(output)


if __name__ == "__main__":
    stage, output, parameters, threads = sys.argv[1:]
    try:
        execute_notebook(stage, Path(output), json.loads(parameters), int(threads))
    except RuntimeError as error:
        sys.exit(f"error: {error}")
