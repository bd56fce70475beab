# The order of the study: what is made from what, and so what a change makes again.
# `cxrseg run` and `make book` call it with runs/ as working directory and the names of the runs as config:
# one, or all of a sweep, so that the folds of all are scheduled together.
import json
import re
import shlex
import sys
from pathlib import Path

from cxrseg import paths, runs

ROOT = Path(workflow.basedir)
RUNS = config["runs"]
STUDIES = {run: runs.study(run) for run in RUNS}
FOLDS = {run: list(range(study.run_folds)) for run, study in STUDIES.items()}
EVERY_CORE = 1024  # Snakemake takes as many as it may use; on a cluster the profile says how many
# Trainings side by side, each on cores of its own, get farther than one after the other on all of them. A cluster has
# no number of cores: there the profile says how many a fold has.
UNTRAINED = [fold for run in RUNS for fold in FOLDS[run] if not (paths.fold(run, fold) / "train.json").is_file()]
TRAINING_CORES = max(1, (workflow.resource_settings.cores or 1) // max(1, len(UNTRAINED)))

wildcard_constraints:
    run="|".join(map(re.escape, RUNS)),
    fold=r"\d+",


def notebook(stage):
    return str(ROOT / "notebooks" / f"{stage}.ipynb")


def modules(*patterns):
    """Return the modules that a stage's result depends on; what they share is named once, here."""
    return [str(file) for pattern in ("config.py", "paths.py", *patterns) for file in sorted((ROOT / "cxrseg").glob(pattern))]


def parameters(run, section, **others):
    return json.dumps({"run": run, **others, **section.model_dump()}, sort_keys=True)


def initial(run):
    """Return the file of the weights that a run starts from, if it is there; training says so where it is not."""
    init = STUDIES[run].train.init
    return [str(paths.weights(init))] if init and paths.weights(init).is_file() else []


def compared(run):
    """Return the runs that the first of a sweep is compared with; every other run has its baselines."""
    return RUNS[1:] if run == RUNS[0] else []


PYTHON = shlex.quote(sys.executable)
EXECUTE = f"{PYTHON} -m cxrseg.stages"
DATASET = expand("{{run}}/data/{file}", file=["dataset.json", "cases.csv", "images.npy", "masks.npy"])


rule all:
    input:
        expand("{run}/summary.json", run=RUNS),
        expand("{run}/notebooks/{stage}.ipynb", run=RUNS, stage=["01-data", "03-evaluate", "04-compare"]),
        [f"{run}/notebooks/02-train-fold{fold}.ipynb" for run in RUNS for fold in FOLDS[run]],


rule data:
    input:
        notebook=notebook("01-data"),
        code=lambda wildcards: modules(
            "prepare.py", "parallel.py", "duplicates.py", "images.py", "sources/*.py",
            f"{STUDIES[wildcards.run].data.source}/*.py",
        ),
    output:
        DATASET,
        notebook="{run}/notebooks/01-data.ipynb",
    params:
        values=lambda wildcards: parameters(wildcards.run, STUDIES[wildcards.run].data),
    priority: 1  # of all runs, before any trains: later, all cores would hardly be free at once
    threads: EVERY_CORE
    shell:
        "{EXECUTE} 01-data {output.notebook} {params.values:q} {threads}"


rule train:
    input:
        DATASET,
        notebook=notebook("02-train"),
        code=modules("unet.py", "inputs.py", "augment.py", "train.py"),
        init=lambda wildcards: initial(wildcards.run),
    output:
        "{run}/fold-{fold}/model.keras",
        "{run}/fold-{fold}/history.csv",
        "{run}/fold-{fold}/train.json",
        notebook="{run}/notebooks/02-train-fold{fold}.ipynb",
    params:
        values=lambda wildcards: parameters(wildcards.run, STUDIES[wildcards.run].train, fold=int(wildcards.fold)),
    threads: TRAINING_CORES
    shell:
        "{EXECUTE} 02-train {output.notebook} {params.values:q} {threads}"


rule evaluate:
    input:
        DATASET,
        lambda wildcards: expand(
            "{run}/fold-{fold}/{file}", run=wildcards.run, fold=FOLDS[wildcards.run], file=["model.keras", "train.json"]
        ),
        notebook=notebook("03-evaluate"),
        code=modules(
            "inputs.py", "evaluate.py", "evidence.py", "masks.py", "scores.py", "parallel.py", "metrics.py", "stats.py", "baselines.py",
            "context.py", "calibration.py", "quality.*", "leakage.py", "runs.py", "plots.py",
        ),
    output:
        "{run}/cases.csv",
        "{run}/baselines.csv",
        "{run}/predictions.npy",
        "{run}/summary.json",
        notebook="{run}/notebooks/03-evaluate.ipynb",
    params:
        values=lambda wildcards: parameters(
            wildcards.run, STUDIES[wildcards.run].evaluate, run_folds=STUDIES[wildcards.run].run_folds
        ),
    threads: EVERY_CORE
    shell:
        "{EXECUTE} 03-evaluate {output.notebook} {params.values:q} {threads}"


rule compare:
    input:
        lambda wildcards: expand(
            "{run}/{file}", run=[wildcards.run, *compared(wildcards.run)], file=["cases.csv", "baselines.csv", "summary.json"]
        ),
        notebook=notebook("04-compare"),
        code=modules("compare.py", "stats.py", "plots.py"),
    output:
        notebook="{run}/notebooks/04-compare.ipynb",
    params:
        values=lambda wildcards: json.dumps({"run": wildcards.run, "others": compared(wildcards.run)}),
    shell:
        "{EXECUTE} 04-compare {output.notebook} {params.values:q} {threads}"


rule book:
    input:
        rules.all.input,
        config=[str(ROOT / "_config.yml"), str(ROOT / "_toc.yml")],
        pages=[str(file) for file in sorted((ROOT / "book").rglob("*")) if file.is_file() and "executed" not in file.parts and "__pycache__" not in file.parts],
        code=modules(
            "book.py", "tested.py", "atlas.py", "explorer.py", "tryit.py", "charts.py", "gallery.py", "phantom/*.py",
            "quality.*", "segment.py", "network.py", "plausibility.py", "images.py", "inputs.py", "masks.py", "plots.py",
        ),
        models=[str(file) for file in sorted([*paths.run(RUNS[0]).glob("model.*"), *(ROOT / "cxrseg" / "models").glob("default.*")])],
    output:
        # One stamp a run: building the book of another run removes it.
        touch(str(ROOT / "_build" / f"rendered-{RUNS[0]}")),
    params:
        run=RUNS[0],
    shell:
        "{PYTHON} -m cxrseg.book {params.run:q}"
