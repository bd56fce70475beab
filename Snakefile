# The order of the study: what is made from what, and so what a change makes again.
# `cxrseg run` and `make book` call it with a run's folder as working directory and the run's name as config.
import json
import sys
from pathlib import Path

from cxrseg import paths, runs

ROOT = Path(workflow.basedir)
RUN = config["run"]
STUDY = runs.study(RUN)
FOLDS = list(range(STUDY.run_folds))


def notebook(stage):
    return str(ROOT / "notebooks" / f"{stage}.ipynb")


def modules(*patterns):
    """Return the modules that a stage's result depends on; what they share is named once, here."""
    return [str(file) for pattern in ("config.py", "paths.py", *patterns) for file in sorted((ROOT / "cxrseg").glob(pattern))]


def parameters(section, **others):
    return json.dumps({"run": RUN, **others, **section.model_dump()}, sort_keys=True)


EXECUTE = f"{sys.executable} -m cxrseg.stages"
DATASET = expand("data/{file}", file=["dataset.json", "cases.csv", "images.npy", "masks.npy"])


rule all:
    input:
        "summary.json",
        "notebooks/01-data.ipynb",
        expand("notebooks/02-train-fold{fold}.ipynb", fold=FOLDS),
        "notebooks/03-evaluate.ipynb",
        "notebooks/04-compare.ipynb",


rule data:
    input:
        notebook=notebook("01-data"),
        code=modules("prepare.py", "parallel.py", "duplicates.py", "images.py", "sources/*.py", f"{STUDY.data.source}/*.py"),
    output:
        DATASET,
        notebook="notebooks/01-data.ipynb",
    params:
        values=parameters(STUDY.data),
    threads: workflow.cores
    shell:
        "{EXECUTE} 01-data {output.notebook} {params.values:q} {threads}"


rule train:
    input:
        DATASET,
        notebook=notebook("02-train"),
        code=modules("unet.py", "inputs.py", "augment.py", "train.py"),
    output:
        "fold-{fold}/model.keras",
        "fold-{fold}/history.csv",
        "fold-{fold}/train.json",
        notebook="notebooks/02-train-fold{fold}.ipynb",
    params:
        values=lambda wildcards: parameters(STUDY.train, fold=int(wildcards.fold)),
    threads: 2
    shell:
        "{EXECUTE} 02-train {output.notebook} {params.values:q} {threads}"


rule evaluate:
    input:
        DATASET,
        expand("fold-{fold}/{file}", fold=FOLDS, file=["model.keras", "train.json"]),
        notebook=notebook("03-evaluate"),
        code=modules(
            "inputs.py", "evaluate.py", "evidence.py", "masks.py", "scores.py", "parallel.py", "metrics.py", "stats.py", "baselines.py",
            "context.py", "calibration.py", "quality.*", "leakage.py",
        ),
    output:
        "cases.csv",
        "baselines.csv",
        "predictions.npy",
        "summary.json",
        notebook="notebooks/03-evaluate.ipynb",
    params:
        values=parameters(STUDY.evaluate, run_folds=STUDY.run_folds),
    threads: workflow.cores
    shell:
        "{EXECUTE} 03-evaluate {output.notebook} {params.values:q} {threads}"


rule compare:
    input:
        "cases.csv",
        "baselines.csv",
        "summary.json",
        notebook=notebook("04-compare"),
        code=modules("compare.py", "stats.py"),
    output:
        notebook="notebooks/04-compare.ipynb",
    params:
        values=json.dumps({"run": RUN}),
    shell:
        "{EXECUTE} 04-compare {output.notebook} {params.values:q} {threads}"


rule book:
    input:
        rules.all.input,
        config=[str(ROOT / "_config.yml"), str(ROOT / "_toc.yml")],
        pages=[str(file) for file in sorted((ROOT / "book").rglob("*")) if file.is_file() and "executed" not in file.parts and "__pycache__" not in file.parts],
        code=modules("book.py", "tested.py", "atlas.py", "explorer.py", "tryit.py", "gallery.py", "phantom/*.py", "quality.json"),
        models=[str(file) for file in sorted([*paths.run(RUN).glob("model.*"), *(ROOT / "cxrseg" / "models").glob("default.*")])],
    output:
        # One stamp a run: building the book of another run removes it.
        touch(str(ROOT / "_build" / f"rendered-{RUN}")),
    shell:
        "{sys.executable} -m cxrseg.book {RUN}"
