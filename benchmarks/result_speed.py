"""Time the demo study from the start to its report, stage by stage, and again after no change or a small one.

    python benchmarks/result_speed.py

`cxrseg run demo` and `cxrseg book demo` run in a copy of the checkout without runs, with packages installed. The book
is then built three times unchanged, and the study run with three other thresholds, which must not train. The script
writes ``book/published/result_speed.json``. A trial run with a smaller study, ``--set KEY=VALUE …``, writes nothing.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rounds import spread

from cxrseg import paths, provenance
from cxrseg.files import write_json

PARTS = ("cxrseg", "notebooks", "studies", "book", "profiles", "Snakefile", "_config.yml", "_toc.yml")
STAGES = {"01-data": "prepare", "02-train-fold0": "train", "03-evaluate": "evaluate", "04-compare": "compare"}
THRESHOLDS = (0.4, 0.45, 0.55)


def main() -> None:
    changes = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        checkout = Path(name)
        for part in PARTS:
            source = paths.root() / part
            ignored = shutil.ignore_patterns("__pycache__", "executed")
            if source.is_dir():
                shutil.copytree(source, checkout / part, ignore=ignored)
            else:
                shutil.copy(source, checkout / part)
        if changes:
            subprocess.run(
                [sys.executable, "-c", SHRINK, *changes[1::2]], cwd=checkout, check=True, stdout=subprocess.DEVNULL
            )
        whole = seconds(checkout, "run", "demo")
        stages = {
            STAGES[file.stem]: executed(file)
            for file in sorted((checkout / "runs" / "demo" / "notebooks").glob("*.ipynb"))
        }
        book = seconds(checkout, "book", "demo")
        model = checkout / "runs" / "demo" / "fold-0" / "model.keras"
        trained = model.stat().st_mtime_ns
        unchanged = [seconds(checkout, "book", "demo") for _ in THRESHOLDS]
        again = [seconds(checkout, "run", "demo", "--set", f"evaluate.threshold={value}") for value in THRESHOLDS]
        assert model.stat().st_mtime_ns == trained, "another threshold has trained the network again"
    content = {
        "command": "python benchmarks/result_speed.py",
        "run_seconds": whole,
        "stage_seconds": stages,
        "book_seconds": book,
        "total_seconds": whole + book,
        "nothing_changed_seconds": spread(unchanged),
        "other_threshold_seconds": spread(again),
        "provenance": provenance.record(),
    }
    print(json.dumps({key: value for key, value in content.items() if key.endswith("seconds")}, indent=1))
    if not changes:
        write_json(paths.published() / "result_speed.json", content)


SHRINK = """
import sys
from pathlib import Path
from cxrseg.studies import read_study, write_study
file = Path("studies/demo.yml")
write_study(read_study(file, sys.argv[1:]), file)
"""


def seconds(checkout: Path, *arguments: str) -> float:
    """Run a cxrseg command in a checkout and return its time in seconds."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "cxrseg.cli", *arguments], cwd=checkout, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"error: cxrseg {' '.join(arguments)}: {done.stderr}")
    return time.perf_counter() - began


def executed(file: Path) -> float:
    """Return the duration in seconds that papermill recorded in an executed notebook."""
    return float(json.loads(file.read_text())["metadata"]["papermill"]["duration"])


if __name__ == "__main__":
    main()
