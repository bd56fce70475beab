"""Time a study from the start to its report, stage by stage, and again after no change or a small one.

`cxrseg run` and `cxrseg book` run in a copy of the checkout without runs, with packages installed. The book is then
built unchanged, and the study run with other thresholds, which must not train, as often as there are thresholds.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import checkout
from rounds import seconds, spread

from cxrseg.publish.experiments import Experiment
from cxrseg.studies import read_study, write_study

STAGES = {"01-data": "prepare", "02-train-fold0": "train", "03-evaluate": "evaluate", "04-compare": "compare"}


def measure(experiment: Experiment) -> dict:
    """Return the seconds of a study, of each of its stages, of its report, and of both when little has changed.

    Raises
    ------
    ValueError
        Another threshold has trained the network again.
    """
    study, thresholds = experiment.options["study"], experiment.options["thresholds"]
    with TemporaryDirectory() as name:
        folder = Path(name)
        checkout.copy(folder)
        file = folder / "studies" / f"{study}.yml"
        write_study(read_study(file, experiment.options["set"]), file)

        def command(*arguments: str) -> float:
            return seconds(checkout.call, folder, "cxrseg.cli", *arguments)

        run = folder / "runs" / study
        whole = command("run", study)
        stages = {STAGES[notebook.stem]: duration(notebook) for notebook in sorted((run / "notebooks").glob("*.ipynb"))}
        book = command("book", study)
        trained = (run / "fold-0" / "model.keras").stat().st_mtime_ns
        unchanged = [command("book", study) for _ in thresholds]
        again = [command("run", study, "--set", f"evaluate.threshold={value}") for value in thresholds]
        if (run / "fold-0" / "model.keras").stat().st_mtime_ns != trained:
            raise ValueError("another threshold has trained the network again")
    return {
        "run_seconds": whole,
        "stage_seconds": stages,
        "book_seconds": book,
        "total_seconds": whole + book,
        "nothing_changed_seconds": spread(unchanged),
        "other_threshold_seconds": spread(again),
    }


def duration(notebook: Path) -> float:
    """Return the duration in seconds that papermill recorded in an executed notebook."""
    return float(json.loads(notebook.read_text())["metadata"]["papermill"]["duration"])
