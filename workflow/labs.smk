# The labs depend on no run, so they are executed once for the reports of all.
LABS = paths.labs()


rule lab:
    input:
        str(ROOT / "notebooks" / "labs" / "{lab}.ipynb"),
        list(map(str, provenance.stage_code("phantom", "data", "train", "evaluate", "measure", "models", "labs"))),
    output:
        ".labs/{lab}.ipynb",
    wildcard_constraints:
        lab="|".join(map(re.escape, LABS)) or "none",
    shell:
        "{EXECUTE} labs/{wildcards.lab} {output} '{{}}' {threads}"
