# The report of the first run, between the pages of the book.
def pages():
    made = {"executed", "__pycache__"}
    files = [file for file in (ROOT / "book").rglob("*") if file.is_file() and not made & set(file.parts)]
    return sorted(map(str, files))


rule book:
    input:
        rules.all.input,
        config=[str(ROOT / "_config.yml"), str(ROOT / "_toc.yml")],
        pages=pages(),
        code=list(map(str, provenance.stage_code("report", "segment", "phantom"))),
        models=[str(file) for file in sorted([*paths.run(RUNS[0]).glob("model.*"), *(ROOT / "cxrseg" / "models").glob("default.*")])],
        external=[str(file) for file in sorted([*paths.run(RUNS[0]).glob("external/*/summary.json"), *paths.run(RUNS[0]).glob("matrix.csv")])],
    output:
        # One stamp a run: building the book of another run removes it.
        touch(str(ROOT / "_build" / f"rendered-{RUNS[0]}")),
    params:
        run=RUNS[0],
    shell:
        "{PYTHON} -m cxrseg.report.book {params.run:q}"
