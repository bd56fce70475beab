# The pooled folds are scored; a run is compared with others, or with the baselines; runs are scored on other datasets.
SCORES = ["cases.csv", "baselines.csv", "summary.json"]


def compared(run):
    """Return the runs that the first of a sweep is compared with, also when it is shown alone later; others have none."""
    known = runs.shown_with(run) if len(RUNS) == 1 else []
    return (RUNS[1:] if run == RUNS[0] else []) or [other for other in known if (paths.run(other) / "summary.json").is_file()]


rule evaluate:
    input:
        lambda wildcards: made(wildcards.run, expand(DATASET, run=wildcards.run), "01-data"),
        lambda wildcards: made(
            wildcards.run,
            expand("{run}/fold-{k}/{file}", run=wildcards.run, k=FOLDS[wildcards.run], file=["model.keras", "train.json"]),
            "01-data",
            "02-train",
        ),
        notebook=notebook("03-evaluate"),
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
        lambda wildcards: [
            file
            for run in [wildcards.run, *compared(wildcards.run)]
            for file in (
                made(run, expand("{run}/{file}", run=run, file=SCORES), "01-data", "02-train", "03-evaluate")
                if run in RUNS
                else [here(paths.run(run) / file) for file in SCORES]
            )
        ],
        notebook=notebook("04-compare"),
    output:
        notebook="{run}/notebooks/04-compare.ipynb",
    params:
        values=lambda wildcards: json.dumps({"run": wildcards.run, "others": compared(wildcards.run)}),
    shell:
        "{EXECUTE} 04-compare {output.notebook} {params.values:q} {threads}"


# A matrix: each cell scores one run on one other dataset. The first run's folder says which.
REQUESTS = [file for run in RUNS[:1] if (file := paths.run(run) / "matrix.json").is_file()]
MATRIX = json.loads(REQUESTS[0].read_text()) if REQUESTS else {"sets": {}, "cells": []}
UNSCORED = [cell for cell in MATRIX["cells"] if not (paths.external(*cell) / "summary.json").is_file()]


rule external:  # takes the networks as they are; `cxrseg matrix` has removed the scores of earlier ones
    input:
        code=list(map(str, provenance.stage_code("data", "evaluate", "measure"))),
    output:
        "{scored}/external/{set}/cases.csv",
        "{scored}/external/{set}/summary.json",
    wildcard_constraints:
        scored="[^/]+",
        set="[^/]+",
    params:
        on=lambda wildcards: MATRIX["sets"][wildcards.set],
    threads: max(1, (workflow.resource_settings.cores or 1) // max(1, len(UNSCORED)))
    shell:
        "LOKY_MAX_CPU_COUNT={threads} TF_NUM_INTRAOP_THREADS={threads} "
        "{PYTHON} -m cxrseg.cli evaluate {wildcards.scored:q} --on {params.on:q}"


rule matrix:
    input:
        lambda wildcards: [f"{run}/external/{name}/summary.json" for run, name in MATRIX["cells"]],
