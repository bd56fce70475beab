# What the book rests on: an experiment is measured when its runs are finished. All cores are its own, so that times
# compare. `cxrseg publish` says which results are out of date.
from cxrseg.publish import experiments

SETS = config.get("sets", "")
EXPERIMENTS = {name: experiments.read(name, SETS) for name in config.get("experiments", [])}


rule published:
    input:
        expand(".published/{experiment}.json", experiment=EXPERIMENTS),


rule measure:
    input:
        lambda wildcards: [
            file
            for run in EXPERIMENTS[wildcards.experiment].every_run()
            for file in made(run.run, [f"{run.run}/summary.json"], "01-data", "02-train", "03-evaluate")
        ],
    output:
        ".published/{experiment}.json",
    threads: EVERY_CORE
    shell:
        # Snakemake has set the number of threads of linear algebra, which is to be as it is for a user.
        "env -u OMP_NUM_THREADS -u OPENBLAS_NUM_THREADS -u MKL_NUM_THREADS "
        "LOKY_MAX_CPU_COUNT={threads} TF_NUM_INTRAOP_THREADS={threads} "
        "{PYTHON} -m cxrseg.publish.measure {wildcards.experiment:q} {SETS:q}"
