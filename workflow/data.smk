# A source of radiographs becomes a prepared dataset.
rule data:
    input:
        notebook=notebook("01-data"),
    output:
        DATASET,
        notebook="{run}/notebooks/01-data.ipynb",
    params:
        values=lambda wildcards: parameters(wildcards.run, STUDIES[wildcards.run].data),
    priority: 1  # the data of all runs before any training: later, all cores would hardly be free at once
    threads: EVERY_CORE
    shell:
        "{EXECUTE} 01-data {output.notebook} {params.values:q} {threads}"
