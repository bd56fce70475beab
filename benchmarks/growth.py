"""Measure how the time and memory of every stage grow with the number of cases.

The notebooks of a study are executed as `cxrseg run` does, on ever more phantoms of 256 x 256 pixels, each stage in its
own process. The stages are prepare, one epoch of a small network at 128 x 128, and evaluate, which scores every case
once (the networks of all folds are copies of one, because only the scoring matters). Memory is sampled four times a
second over the whole process tree, including kernels and workers: as total resident memory, and with shared pages
counted once.
"""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import checkout
import joblib
import psutil

from cxrseg import paths
from cxrseg.config import DataConfig, EvaluateConfig, TrainConfig
from cxrseg.publish.experiments import Experiment

FOLDS = 5


def measure(experiment: Experiment) -> dict:
    """Return the time and the peak memory of each stage for each number of cases."""
    network = TrainConfig(**experiment.options["network"])
    # The data of many cases may be more than a folder for temporary files holds.
    with TemporaryDirectory(dir=paths.runs(), prefix=".growth-") as folder:
        checkout.copy(Path(folder))
        rows = {f"{n:,}": stages(Path(folder), n, network) for n in experiment.options["cases"]}
    return {
        "image_size": DataConfig().image_size,
        "network": network.model_dump(),
        "cores_used": joblib.cpu_count(),
        "cases": rows,
    }


def stages(root: Path, n: int, network: TrainConfig) -> dict[str, dict]:
    """Run the three stages on n phantoms in a copy of the checkout, and return the time and peak memory of each."""
    run = root / "runs" / f"growth-{n}"
    share = {label: n // 3 + (k < n % 3) for k, label in enumerate(("Normal", "COVID", "Non-COVID"))}
    found = {"prepare": stage(run, "01-data", DataConfig(cases_per_class=share, folds=FOLDS))}
    found["epoch"] = stage(run, "02-train", network)
    for fold in range(1, FOLDS):
        shutil.copytree(run / "fold-0", run / f"fold-{fold}")
        record = run / f"fold-{fold}" / "train.json"
        record.write_text(json.dumps(json.loads(record.read_text()) | {"fold": fold}))
    found["evaluate"] = stage(run, "03-evaluate", EvaluateConfig(), run_folds=FOLDS)
    shutil.rmtree(run)
    for row in found.values():
        row["ms_per_case"] = 1000 * row["seconds"] / n
    return found


def stage(run: Path, notebook: str, config, **others) -> dict:
    """Execute one notebook, and return its time in seconds and the peak memory of its processes in GiB.

    Raises
    ------
    RuntimeError
        The notebook failed.
    """
    output = run / "notebooks" / f"{notebook}.ipynb"
    parameters = json.dumps({"run": run.name, **others, **config.model_dump()})
    command = [sys.executable, "-m", "cxrseg.workflow", notebook, str(output), parameters, str(joblib.cpu_count())]
    began, resident, shared = time.monotonic(), 0, 0
    with subprocess.Popen(command, cwd=run.parents[1], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            a, b = memory(process.pid)
            resident, shared = max(resident, a), max(shared, b)
            time.sleep(0.25)
    seconds = time.monotonic() - began
    if process.returncode:
        raise RuntimeError(f"{notebook} of {run.name} failed: its error is in the log")
    print(f"{run.name} {notebook}: {seconds:.1f} s, {resident / 2**30:.2f} GiB", flush=True)
    return {"seconds": seconds, "resident_gib": resident / 2**30, "shared_once_gib": shared / 2**30}


def memory(pid: int) -> tuple[int, int]:
    """Return the memory of a process and its descendants in bytes: resident, and with shared pages counted once."""
    resident = shared = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0, 0
    for process in processes:
        try:
            resident += process.memory_info().rss
            # The kernel's sum: psutil adds up every mapping for the same number, which takes long.
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
            shared += sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (psutil.NoSuchProcess, OSError):  # the process has just ended
            continue
    return resident, shared
