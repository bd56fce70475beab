"""Run a sweep on a real SLURM, three widths of five folds, with a killed job and a cancelled run, and then a matrix.

    apt-get install slurm-wlm munge
    pip install -e ".[slurm]"       # into an environment of its own: see pyproject.toml
    python tests/slurm/run.py

Starts munge and a SLURM of one node (of made-up size, with two GPUs that are none, so that waiting for them shows) in
a temporary folder, as whoever calls it, and stops both at the end. Not part of `make test`: it needs the daemons, and
some minutes. Ends with a summary; any check that fails is a traceback.
"""

import getpass
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import yaml
from PIL import Image

from cxrseg.phantom import phantom

sys.path.insert(0, str(Path(__file__).parents[1]))
from conftest import copy_checkout

WIDTHS, FOLDS = (2, 3, 4), 5
RUNS = [f"sweep-base_filters={width}" for width in WIDTHS]
STUDY = {
    "title": "A sweep through SLURM",
    "run_folds": FOLDS,
    "data": {"cases_per_class": {"Normal": 8, "COVID": 8, "Non-COVID": 8}, "image_size": 64},
    "train": {"input_size": 64, "depth": 3, "epochs": 1, "base_filters": list(WIDTHS)},
    "evaluate": {"resamples": 200},
}
STARTED: list[subprocess.Popen] = []
SLURM = """
ClusterName=cxrseg
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
MinJobAge=600
ReturnToService=2
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=64000 Gres=gpu:2 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def slurm(folder: Path):
    """Start munge and a SLURM of one node; stop them at the end."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    (folder / "slurm.conf").write_text(
        SLURM.format(folder=folder, host=socket.gethostname().split(".")[0], user=getpass.getuser())
    )
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n")
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    # The plugin calls srun in a job without the job's SLURM_ variables, so that it would look into /etc/slurm.
    (folder / "bin").mkdir()
    (folder / "bin" / "srun").write_text(
        f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n'
    )
    (folder / "bin" / "srun").chmod(0o755)
    os.environ["PATH"] = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    munge = [
        f"--{name}={folder}/munge.{name.split('-')[0]}"
        for name in ("key-file", "socket", "pid-file", "log-file", "seed-file")
    ]
    daemons = []
    try:
        for command in (["munged", "--foreground", "--force", *munge], ["slurmctld", "-D"], ["slurmd", "-D"]):
            log = open(folder / f"{command[0]}.out", "w")  # noqa: SIM115
            daemons.append(subprocess.Popen(command, stdout=log, stderr=log))
            time.sleep(2)
            assert daemons[-1].poll() is None, (
                f"{command[0]} did not start: {(folder / f'{command[0]}.out').read_text()}"
            )
        until(lambda: "idle" in said("sinfo", "-h", "-o", "%T"), 60, "an idle node")
        yield
    finally:
        for process in STARTED:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        said("scancel", "-u", getpass.getuser())
        time.sleep(1)
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait(30)


def said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout


def until(test, seconds: float, what: str):
    """Wait until `test()` is true, and return what it gives."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := test():
            return found
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


def start(checkout: Path) -> subprocess.Popen:
    """Start the sweep as a person would, in a process group as a terminal makes one."""
    command = [sys.executable, "-m", "cxrseg.cli", "run", "sweep", "--profile", "slurm"]
    STARTED.append(
        subprocess.Popen(
            command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
    )
    return STARTED[-1]


def stage(run: str, fold: int) -> int | None:
    """Return the process that trains one fold of a run."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if (
            words[1:4] == [b"-m", b"cxrseg.workflow", b"02-train"]
            and f"{run}/notebooks/02-train-fold{fold}.ipynb".encode() in words
        ):
            return int(entry.parent.name)
    return None


def trained(checkout: Path) -> dict[str, int]:
    return {
        str(file.relative_to(checkout)): file.stat().st_mtime_ns for file in checkout.glob("runs/*/fold-*/train.json")
    }


def queue() -> list[str]:
    return said("squeue", "-h", "-t", "PENDING,RUNNING", "-O", "jobid,state,tres-per-job").splitlines()


def main() -> None:
    began = time.monotonic()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell turns it off for what runs in the background
    with tempfile.TemporaryDirectory() as name:
        checkout = copy_checkout(Path(name) / "checkout")
        (checkout / "studies" / "sweep.yml").write_text(yaml.safe_dump(STUDY))
        with open(checkout / "profiles" / "slurm" / "config.yaml", "a") as profile:
            # The profile as it is, but no accounting here, and jobs of seconds are asked about sooner.
            profile.write("slurm-status-command: squeue\nslurm-init-seconds-before-status-checks: 5\n")
        (Path(name) / "slurm").mkdir()
        with slurm(Path(name) / "slurm"):
            summary = check(checkout)
    summary["seconds"] = round(time.monotonic() - began)
    print(json.dumps(summary, indent=1))


def check(checkout: Path) -> dict:
    """Run the sweep, interfere, and look at what comes of it."""
    summary = {"slurm": said("sinfo", "--version").strip(), "runs": RUNS, "folds": FOLDS}

    process = start(checkout)
    victim = until(lambda: process.poll() is None and stage(RUNS[0], 0), 600, "the first fold to be trained")
    asked = [line for line in queue() if "gpu" in line]
    summary["most GPU jobs at once"] = sum("RUNNING" in line for line in asked)
    assert asked and summary["most GPU jobs at once"] <= 2, asked
    os.kill(victim, signal.SIGKILL)
    log = checkout / "runs" / RUNS[0] / "snakemake.log"
    until(lambda: "Trying to restart job" in log.read_text(), 120, "the killed job to be retried")
    summary["killed"] = f"fold 0 of {RUNS[0]}, process {victim}"

    until(lambda: len(trained(checkout)) >= 4 and queue(), 900, "four trained folds")
    os.killpg(process.pid, signal.SIGINT)  # Ctrl-C
    out, error = process.communicate(timeout=120)
    assert process.returncode == 130 and "interrupted" in error, (process.returncode, out, error)
    until(lambda: not queue(), 60, "the cancelled run to leave no job behind")
    before = trained(checkout)
    summary["trained when cancelled"] = len(before)
    assert not (checkout / "runs" / RUNS[-1] / "summary.json").exists()

    process = start(checkout)
    out, error = process.communicate(timeout=1800)
    assert process.returncode == 0, error
    after = trained(checkout)
    assert len(after) == len(WIDTHS) * FOLDS
    assert before.items() <= after.items(), "folds that were trained have been trained again"
    text = log.read_text()
    summary["jobs after the cancel"] = len(re.findall(r"submitted with SLURM jobid", text))
    for run in RUNS:
        rows = pd.read_csv(checkout / "runs" / run / "cases.csv")
        assert len(rows) == 24 and rows["case_id"].is_unique and rows["fold"].nunique() == FOLDS
    assert (checkout / "runs" / RUNS[0] / "fold-0" / "train.json").is_file(), "the killed fold"

    done = subprocess.run(
        [sys.executable, "-m", "cxrseg.cli", "compare", "sweep"], cwd=checkout, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    summary["compare"] = done.stdout.splitlines()
    before = trained(checkout)
    done = subprocess.run(
        [sys.executable, "-m", "cxrseg.cli", "book", "sweep"], cwd=checkout, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert trained(checkout) == before
    page = (checkout / "_build" / "html" / "book" / "executed" / "04-compare.html").read_text()
    assert all(run in page for run in RUNS)
    if "KEEP" in os.environ:
        subprocess.run(["cp", "-r", checkout / "_build" / "html", os.environ["KEEP"]], check=True)
    summary["matrix"] = matrix(checkout)
    summary["page"] = f"04-compare.html, {len(page):,} characters, names all {len(RUNS)} runs"
    return summary


def matrix(checkout: Path) -> list[str]:
    """Score two runs on two sets, each cell a job, and return the table."""
    folders = []
    for seed in (5, 6):
        for k in range(4):
            made = phantom(seed, k, "Normal", 96, "realistic")
            for kind, pixels in (("images", made.image), ("masks", made.lungs)):
                file = checkout / f"set {seed}" / kind / f"{k}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(file)
        folders += ["--on", f"folder:{checkout / f'set {seed}'}"]
    command = [
        sys.executable,
        "-m",
        "cxrseg.cli",
        "matrix",
        "--runs",
        ",".join(RUNS[:2]),
        *folders,
        "--profile",
        "slurm",
    ]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    jobs = re.findall(r"submitted with SLURM jobid", (checkout / "runs" / RUNS[0] / "snakemake.log").read_text())
    cells = pd.read_csv(checkout / "runs" / RUNS[0] / "matrix.csv")
    assert len(jobs) == len(cells) == 4 and (cells["n"] == 4).all()
    return done.stdout.splitlines()


if __name__ == "__main__":
    main()
