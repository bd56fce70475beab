# The pooled folds are scored; a run is compared with others, or with the baselines.
def compared(run):
    """Return the runs that the first of a sweep is compared with; every other run has its baselines."""
    return RUNS[1:] if run == RUNS[0] else []


rule evaluate:
    input:
        DATASET,
        lambda wildcards: expand(
            "{run}/fold-{fold}/{file}", run=wildcards.run, fold=FOLDS[wildcards.run], file=["model.keras", "train.json"]
        ),
        notebook=notebook("03-evaluate"),
        code=code("evaluate"),
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
        code=code("evaluate"),
    output:
        notebook="{run}/notebooks/04-compare.ipynb",
    params:
        values=lambda wildcards: json.dumps({"run": wildcards.run, "others": compared(wildcards.run)}),
    shell:
        "{EXECUTE} 04-compare {output.notebook} {params.values:q} {threads}"
