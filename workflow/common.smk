# What the rules share: the runs and their studies. Whether what a stage has made is that of the study and the code of today
# is known from its records, not from dates, which a copy changes: `cxrseg run` forces the stages that are outdated.
import json
import os
import re
import shlex
import sys
from pathlib import Path

from cxrseg import models, paths, provenance, runs
from cxrseg.workflow import outdated_of

ROOT = Path(workflow.basedir)
RUNS = config["runs"]
STUDIES = {run: runs.study(run) for run in RUNS}
OUTDATED = outdated_of(RUNS)
FOLDS = {run: list(range(study.run_folds)) for run, study in STUDIES.items()}
EVERY_CORE = 1024  # Snakemake takes as many as it may use; on a cluster the profile says how many

wildcard_constraints:
    run="|".join(map(re.escape, RUNS)),
    fold=r"\d+",


PYTHON = shlex.quote(sys.executable)
EXECUTE = f"{PYTHON} -m cxrseg.workflow"
DATASET = expand("{{run}}/data/{file}", file=["dataset.json", "cases.csv", "images.npy", "masks.npy"])


def made(run, files, *stages):
    """Return files of a run. Their dates count only where one of the stages that made them is made again."""
    again = any(file.startswith(f"{run}/notebooks/{stage}") for file in OUTDATED for stage in stages)
    return files if again else [ancient(file) for file in files]


def here(file):
    """Return a file of the checkout as seen from the runs, so that a checkout may move."""
    return ancient(os.path.relpath(file, paths.runs()))


def notebook(stage):
    return here(paths.notebook(stage))


def parameters(run, section, **others):
    return json.dumps({"run": run, **others, **section.model_dump()}, sort_keys=True)
