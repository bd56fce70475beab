"""Execute one stage: a notebook with its parameters, whole or not at all.

Run as ``python -m cxrseg.stages STAGE OUTPUT PARAMETERS CORES``, PARAMETERS in JSON: what the Snakefile calls.
"""

import json
import os
import sys
from pathlib import Path

from cxrseg import paths


def execute(stage: str, output: Path, parameters: dict, threads: int | None = None) -> None:
    """Execute a stage's notebook and keep it with its results.

    Parameters
    ----------
    stage : str
        One of `cxrseg.paths.STAGES`.
    output : Path
        Receives the executed notebook; where a cell fails, it is kept beside as ``….failed.ipynb``.
    parameters : dict
        For the notebook's ``parameters`` cell.
    threads : int, optional
        Cores that the network and the processes beside it may use; all by default.

    Raises
    ------
    RuntimeError
        A cell failed: one line that names notebook, cell and error.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # the executed notebook is a page of the report
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # small products on many cores only wait for one another
    # Folds side by side share one graphics card: none may take all of its memory at the start.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if threads:
        os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["LOKY_MAX_CPU_COUNT"] = str(threads)
        os.environ["TF_NUM_INTEROP_THREADS"] = "1"  # one layer after the other: more threads only wait
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    partial, failed = output.with_suffix(".partial.ipynb"), output.with_suffix(".failed.ipynb")
    failed.unlink(missing_ok=True)
    try:
        with open(os.devnull, "w") as nowhere:  # warnings of libraries; errors come back as exceptions
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
        execute(stage, Path(output), json.loads(parameters), int(threads))
    except RuntimeError as error:
        sys.exit(f"error: {error}")
