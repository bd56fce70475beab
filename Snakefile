# The study as a graph: what is made from what, and so what a change makes again.
# `cxrseg run` and `make book` call it with runs/ as the working directory and the names of the runs as config:
# one run, or all runs of a sweep, so that the folds of all are scheduled together.
include: "workflow/common.smk"


rule all:
    input:
        expand("{run}/summary.json", run=RUNS),
        expand("{run}/notebooks/{stage}.ipynb", run=RUNS, stage=["01-data", "03-evaluate", "04-compare"]),
        [f"{run}/notebooks/02-train-fold{fold}.ipynb" for run in RUNS for fold in FOLDS[run]],


include: "workflow/data.smk"
include: "workflow/train.smk"
include: "workflow/evaluate.smk"
include: "workflow/labs.smk"
include: "workflow/book.smk"
include: "workflow/publish.smk"
