"""Hand runs to Snakemake, which knows what is made from what."""

import json
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from cxrseg import paths, runs


def execute(names: list[str], target: str, cores: int | None = None, profile: str = "") -> None:
    """Bring runs up to date, in one call, so that the stages of all share the cores or the cluster.

    What the stages print comes to the terminal; Snakemake's own words go to ``snakemake.log`` of the first run.

    Parameters
    ----------
    names : list of str
        Runs that have been started: one, or those of a sweep.
    target : str
        A rule of the Snakefile: ``all``, or ``book``, which renders the first run.
    cores : int, optional
        Processor cores; by default all of this machine, or what the profile asks for.
    profile : str
        A folder of ``profiles/``.

    Raises
    ------
    ValueError
        There is no such profile.
    RuntimeError
        A stage failed, or another process is at work on one of the runs.
    """
    log = paths.run(names[0]) / "snakemake.log"
    command = [sys.executable, "-m", "snakemake", target]
    command += ["--snakefile", str(paths.root() / "Snakefile"), "--directory", str(paths.runs())]
    # A killed run leaves Snakemake's lock behind; ours below goes with the processes that hold it.
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
                process.wait()  # it was interrupted, too, and stops its stages first, on a cluster as well
                raise
    if code:
        raise RuntimeError("\n".join(_errors(log)) or f"Snakemake failed: see {log}")


def _errors(log: Path) -> list[str]:
    """Return what failed stages said; those of a cluster's jobs are in files of their own, which the log names."""
    text = log.read_text()
    files = [Path(file) for file in re.findall(r"(/.*?/slurm_logs/.*?\.log)", text)]
    lines = [
        line for part in (text, *(file.read_text() for file in files if file.is_file())) for line in part.splitlines()
    ]
    return list(dict.fromkeys(line.removeprefix("error: ") for line in lines if line.startswith("error: ")))
