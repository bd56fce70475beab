# One network for each fold. Trainings side by side, each on cores of its own, together are faster than one after the
# other on all cores. A cluster has no number of cores: there the profile says how many a fold has.
UNTRAINED = [file for file in OUTDATED if "/notebooks/02-train" in file]
TRAINING_CORES = max(1, (workflow.resource_settings.cores or 1) // max(1, len(UNTRAINED)))


def initial(run):
    """Return the files of the weights that a run starts from, if there or made; training reports where they are not."""
    init = STUDIES[run].train.init
    if init in RUNS:
        return made(init, [f"{init}/fold-{fold}/model.keras" for fold in FOLDS[init]], "01-data", "02-train")
    return [here(models.weights_file(init))] if init and models.weights_file(init).is_file() else []


rule train:
    input:
        lambda wildcards: made(wildcards.run, expand(DATASET, run=wildcards.run), "01-data"),
        notebook=notebook("02-train"),
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
