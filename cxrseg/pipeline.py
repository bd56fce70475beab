"""Hand a run to Snakemake, which knows what is made from what."""

import fcntl
import subprocess
import sys

from cxrseg import paths


def execute(name: str, target: str, cores: int | None = None, profile: str = "") -> None:
    """Bring a run up to date.

    What the stages print comes to the terminal; Snakemake's own words go to ``runs/<name>/snakemake.log``.

    Parameters
    ----------
    name : str
        A run that has been started.
    target : str
        A rule of the Snakefile: ``all`` or ``book``.
    cores : int, optional
        Processor cores; all by default.
    profile : str
        A folder of ``profiles/``.

    Raises
    ------
    ValueError
        There is no such profile.
    RuntimeError
        A stage failed, or another process is at work on this run.
    """
    folder, log = paths.run(name), paths.run(name) / "snakemake.log"
    command = [sys.executable, "-m", "snakemake", target]
    command += ["--snakefile", str(paths.root() / "Snakefile"), "--directory", str(folder)]
    command += ["--config", f"run={name}", "--cores", str(cores or "all")]
    # A killed run leaves Snakemake's lock behind; ours below goes with the process that holds it.
    command += ["--rerun-incomplete", "--nolock", "--keep-going"]
    if profile:
        if not (paths.root() / "profiles" / profile / "config.yaml").is_file():
            known = ", ".join(sorted(path.name for path in (paths.root() / "profiles").iterdir()))
            raise ValueError(f"--profile {profile}: no such profile; there are: {known}")
        command += ["--profile", str(paths.root() / "profiles" / profile)]
    with open(folder / ".lock", "w") as lock, open(log, "w") as words:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"another process is at work on run {name!r}: wait for it, or stop it") from None
        done = subprocess.run(command, stderr=words)
    if done.returncode:
        errors = [line for line in log.read_text().splitlines() if line.startswith("error: ")]
        raise RuntimeError("\n".join(line.removeprefix("error: ") for line in errors) or f"Snakemake failed: see {log}")
