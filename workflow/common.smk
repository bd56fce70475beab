# What the rules share: the runs and their studies, and which files the result of a stage depends on.
import json
import re
import shlex
import sys
from pathlib import Path

from cxrseg import models, paths, runs

ROOT = Path(workflow.basedir)
RUNS = config["runs"]
STUDIES = {run: runs.study(run) for run in RUNS}
FOLDS = {run: list(range(study.run_folds)) for run, study in STUDIES.items()}
EVERY_CORE = 1024  # Snakemake takes as many as it may use; on a cluster the profile says how many

wildcard_constraints:
    run="|".join(map(re.escape, RUNS)),
    fold=r"\d+",


PYTHON = shlex.quote(sys.executable)
EXECUTE = f"{PYTHON} -m cxrseg.workflow"
DATASET = expand("{{run}}/data/{file}", file=["dataset.json", "cases.csv", "images.npy", "masks.npy"])
# Settings, run folders and arithmetic enter every stage.
SHARED = [ROOT / "cxrseg" / f"{name}.py" for name in ("config", "files", "hardware", "paths", "runs", "workflow")]


def code(*folders):
    """Return the files of the package that a stage depends on: whole folders, and what all stages share."""
    found = [file for folder in folders for file in (ROOT / "cxrseg" / folder).rglob("*") if file.suffix in (".py", ".json")]
    return sorted(map(str, [*SHARED, *found]))


def notebook(stage):
    return str(ROOT / "notebooks" / f"{stage}.ipynb")


def parameters(run, section, **others):
    return json.dumps({"run": run, **others, **section.model_dump()}, sort_keys=True)
