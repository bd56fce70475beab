# The pooled folds are scored; a run is compared with others, or with the baselines.
SCORES = ["cases.csv", "baselines.csv", "summary.json"]


def compared(run):
    """Return the runs that the first of a sweep is compared with; every other run has its baselines."""
    return RUNS[1:] if run == RUNS[0] else []


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
            for file in made(run, expand("{run}/{file}", run=run, file=SCORES), "01-data", "02-train", "03-evaluate")
        ],
        notebook=notebook("04-compare"),
    output:
        notebook="{run}/notebooks/04-compare.ipynb",
    params:
        values=lambda wildcards: json.dumps({"run": wildcards.run, "others": compared(wildcards.run)}),
    shell:
        "{EXECUTE} 04-compare {output.notebook} {params.values:q} {threads}"
