# The report of the first run, between the pages of the book.
def pages():
    made = {"executed", "__pycache__"}
    files = [file for file in (ROOT / "book").rglob("*") if file.is_file() and not made & set(file.parts)]
    return sorted(map(str, files))


FIRST = RUNS[0] if RUNS else "none"


rule book:
    input:
        rules.all.input,
        expand(".labs/{lab}.ipynb", lab=LABS),
        config=[str(ROOT / "_config.yml"), str(ROOT / "_toc.yml")],
        pages=pages(),
        code=list(map(str, provenance.stage_code("report", "segment", "phantom"))),
        models=[str(file) for file in sorted([*paths.run(FIRST).glob("model.*"), *(ROOT / "cxrseg" / "models").glob("default.*")])],
        external=[str(file) for file in sorted([*paths.run(FIRST).glob("external/*/summary.json"), *paths.run(FIRST).glob("matrix.csv")])],
    output:
        # One stamp a run: building the book of another run removes it.
        touch(str(ROOT / "_build" / f"rendered-{FIRST}")),
    params:
        run=FIRST,
    shell:
        "{PYTHON} -m cxrseg.report.book {params.run:q}"
