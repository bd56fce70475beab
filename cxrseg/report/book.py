"""Render the report of one run: the pages of the book with the run's executed notebooks and scores."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from cxrseg import paths
from cxrseg.files import write_text
from cxrseg.report import croissant
from cxrseg.report.cases import load_test_cases
from cxrseg.report.pages import atlas, external, inside, playground, threshold, tryit

FOLDED = {"parameters": "Parameters, and their defaults", "injected-parameters": "Parameters of this run"}
"""What stands where the cells of a tag are folded."""


def stage(name: str) -> None:
    """Copy the notebooks, scores and images of a run to ``book/executed/``; unchanged copies keep their dates."""
    folder, target = paths.run(name), paths.root() / "book" / "executed"
    wanted = {
        "01-data.ipynb": folder / "notebooks" / "01-data.ipynb",
        "02-train.ipynb": folder / "notebooks" / "02-train-fold0.ipynb",
        "03-evaluate.ipynb": folder / "notebooks" / "03-evaluate.ipynb",
        "04-compare.ipynb": folder / "notebooks" / "04-compare.ipynb",
        "summary.json": folder / "summary.json",
        **{f"labs/{name}.ipynb": paths.lab(name) for name in paths.labs()},
    }
    missing = [str(source) for source in wanted.values() if not source.is_file()]
    if missing:
        raise FileNotFoundError(
            f"run {name!r} is not finished: `cxrseg book {name}` makes what is missing ({', '.join(missing)})"
        )
    (target / "labs").mkdir(parents=True, exist_ok=True)
    for old in [*target.glob("*.*"), *target.glob("labs/*.ipynb")]:
        if old.is_file() and str(old.relative_to(target)) not in wanted:
            old.unlink()
    for file, source in wanted.items():
        # In a lab, what is printed is the result.
        content = folded(source) if source.suffix == ".ipynb" and not file.startswith("labs/") else source.read_text()
        if not (target / file).is_file() or (target / file).read_text() != content:
            write_text(target / file, content)
    scripts = sorted((paths.root() / "book" / "figures").glob("*.py"))
    drawing = {script: subprocess.Popen([sys.executable, script, target / script.stem]) for script in scripts}
    cases = load_test_cases(name)
    atlas.assemble(cases, target / "atlas.html", target / "static" / "atlas")
    threshold.assemble(cases, target / "static" / "threshold")
    tryit.assemble(name, target / "static" / "tryit")
    inside.assemble(target / "static" / "inside")
    external.assemble(name, target / "external")
    playground.assemble(target / "static" / "playground")
    croissant.write(name)
    for script, process in drawing.items():
        if process.wait():
            raise RuntimeError(f"{script} failed: see above")


def folded(notebook: Path) -> str:
    """Return the text of an executed notebook whose parameters and log lines fold away on its page."""
    content = json.loads(notebook.read_text())
    for cell in content["cells"]:
        tags = cell["metadata"].setdefault("tags", [])
        for tag, what in FOLDED.items():
            if tag in tags:
                tags.append("hide-input")
                cell["metadata"].setdefault("mystnb", {})["code_prompt_show"] = what
        outputs = cell.get("outputs")
        if outputs and all(output["output_type"] == "stream" for output in outputs):
            tags.append("hide-output")
    return json.dumps(content, indent=1)


def build(name: str) -> Path:
    """Stage a run and build the book, treating every warning as an error.

    Returns
    -------
    Path
        The first page of the book.

    Raises
    ------
    FileNotFoundError, RuntimeError
        The run is not finished, or the build failed or gave a warning. The message contains the first warning.
    """
    root = paths.root()
    for stamp in (root / "_build").glob("rendered-*"):
        stamp.unlink()
    # Sphinx keeps earlier copies, but images of another run must not be published with this one.
    for pictures in ("_images", "_static/atlas"):
        shutil.rmtree(root / "_build" / "html" / pictures, ignore_errors=True)
    (root / "_build" / "html" / "report.pdf").unlink(missing_ok=True)  # of the pages before
    stage(name)
    log = root / "_build" / "build.log"
    log.parent.mkdir(exist_ok=True)
    command = [Path(sys.executable).with_name("jupyter-book"), "build", str(root), "--all", "-W", "--keep-going"]
    with open(log, "w") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=os.environ | {"NO_COLOR": "1"})
    if done.returncode:
        found = [line for line in log.read_text().splitlines() if "WARNING" in line or "ERROR" in line]
        first = f"{len(found)} warnings, first: {found[0]}; " if found else ""
        raise RuntimeError(f"the book was not built: {first}see {log}")
    return root / "_build" / "html" / "index.html"


if __name__ == "__main__":
    try:
        page = build(sys.argv[1])
    except (FileNotFoundError, RuntimeError) as error:
        sys.exit(f"error: {error}")
    print(f"the book of run {sys.argv[1]!r}: {page}")
