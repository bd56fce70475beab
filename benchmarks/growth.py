"""Measure how the time and memory of every stage grow with the number of cases.

    python benchmarks/growth.py

The script runs the notebooks of a study as `cxrseg run` does, on 1,000, 5,000 and 20,000 phantoms of 256 x 256
pixels, each stage in its own process. The stages are prepare, one epoch of a small network at 128 x 128, and evaluate,
which scores every case once in five folds (their networks are copies of one, because only the scoring matters). Memory
is sampled four times a second over the whole process tree, including kernels and workers: as total resident memory,
and with shared pages counted once. The script writes ``book/published/growth.json``. A trial run with other numbers
of cases writes nothing: ``python benchmarks/growth.py 60 120``.
"""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import joblib
import psutil

from cxrseg import paths, provenance
from cxrseg.config import DataConfig, EvaluateConfig, TrainConfig
from cxrseg.files import write_json

CASES, FOLDS = (1000, 5000, 20_000), 5
TRAIN = TrainConfig(base_filters=4, depth=4, epochs=1)


def main() -> None:
    given = [int(n) for n in sys.argv[1:]]
    rows = {n: stages(n) for n in given or CASES}
    small, large = min(rows), max(rows)
    stretch = {
        # 1 means proportional growth. The middle count is the reference, as start-up dominates the smallest one.
        stage: {n: rows[n][stage]["ms_per_case"] / rows[middle(rows)][stage]["ms_per_case"] for n in rows}
        for stage in rows[small]
    }
    print(json.dumps(stretch, indent=1))
    print(f"most memory at {large:,} cases: {max(row['resident_gib'] for row in rows[large].values()):.2f} GiB")
    if given:
        return
    content = {
        "command": "python benchmarks/growth.py",
        "image_size": DataConfig().image_size,
        "network": TRAIN.model_dump(),
        "cases": {f"{n:,}": stages for n, stages in rows.items()},
        "time_per_case_against_5000": {
            stage: {f"{n:,}": r for n, r in ratio.items()} for stage, ratio in stretch.items()
        },
        "provenance": provenance.record(cores_used=joblib.cpu_count()),
    }
    write_json(paths.published() / "growth.json", content)


def middle(rows: dict) -> int:
    return sorted(rows)[len(rows) // 2]


def stages(n: int) -> dict[str, dict]:
    """Run the three stages on n phantoms, and return the time and peak memory of each."""
    name = f"growth-{n}"
    share = {label: n // 3 + (k < n % 3) for k, label in enumerate(("Normal", "COVID", "Non-COVID"))}
    try:
        found = {"prepare": stage(name, "01-data", DataConfig(cases_per_class=share, folds=FOLDS))}
        found["epoch"] = stage(name, "02-train", TRAIN)
        for fold in range(1, FOLDS):
            shutil.copytree(paths.fold(name, 0), paths.fold(name, fold))
            record = paths.fold(name, fold) / "train.json"
            record.write_text(json.dumps(json.loads(record.read_text()) | {"fold": fold}))
        found["evaluate"] = stage(name, "03-evaluate", EvaluateConfig(), run_folds=FOLDS)
    finally:
        shutil.rmtree(paths.run(name), ignore_errors=True)
    for row in found.values():
        row["ms_per_case"] = 1000 * row["seconds"] / n
    return found


def stage(name: str, notebook: str, config, **others) -> dict:
    """Execute one notebook, and return its time in seconds and the peak memory of its processes in GiB."""
    output = paths.run(name) / "notebooks" / f"{notebook}.ipynb"
    parameters = json.dumps({"run": name, **others, **config.model_dump()})
    command = [sys.executable, "-m", "cxrseg.stages", notebook, str(output), parameters, str(joblib.cpu_count())]
    began, resident, shared = time.monotonic(), 0, 0
    with subprocess.Popen(command, cwd=paths.root(), stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            a, b = memory(process.pid)
            resident, shared = max(resident, a), max(shared, b)
            time.sleep(0.25)
    seconds = time.monotonic() - began
    if process.returncode:
        sys.exit(f"error: {notebook} of {name} failed")
    row = {"seconds": seconds, "resident_gib": resident / 2**30, "shared_once_gib": shared / 2**30}
    print(
        f"{name} {notebook}: {seconds:.1f} s, {row['resident_gib']:.2f} GiB ({row['shared_once_gib']:.2f})", flush=True
    )
    return row


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
            shared += rolled_up(process.pid)
        except (psutil.NoSuchProcess, OSError):  # the process has just ended
            continue
    return resident, shared


def rolled_up(pid: int) -> int:
    """Return the proportional set size of a process in bytes, faster than psutil, which reads every mapping."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return 1024 * int(line.split()[1])
    return 0


if __name__ == "__main__":
    main()
