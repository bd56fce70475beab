"""Make slides of the labs as they were executed: ``python -m cxrseg.report.slides``.

Each lab becomes one file that needs nothing else. A heading begins a new slide to the right, any other text one below
it, with the code and the picture that follow. Solutions are the speaker's notes (key S).
"""

import re
import sys
from pathlib import Path

import nbformat

from cxrseg import paths
from cxrseg.report.npm import installed

FILES = ["reveal.js", "reveal.css", "theme/white.css"]
"""What of reveal.js a file of slides holds."""

EXERCISE = re.compile(r"```\{exercise\} (?P<title>.*)\n:label: .*\n\n(?P<text>.*?)\n```", re.DOTALL)
SOLUTION = re.compile(r"```\{solution\} .*\n:class: dropdown\n\n(?P<text>.*?)\n```", re.DOTALL)


def make(target: Path) -> list[Path]:
    """Write ``<lab>.html`` for each lab, and return the files.

    Raises
    ------
    FileNotFoundError
        A lab has not been executed: ``make book`` does that.
    RuntimeError
        reveal.js could not be installed.
    """
    from nbconvert import SlidesExporter
    from traitlets.config import Config

    project = paths.root() / "book" / "slides"
    runtime = installed(project, [*(f"reveal.js/dist/{file}" for file in FILES), "reveal.js/plugin/notes/notes.js"])
    settings = Config()
    settings.TemplateExporter.extra_template_basedirs = [str(project / "templates")]
    settings.TagRemovePreprocessor.update(enabled=True, remove_input_tags={"remove-input"})
    exporter = SlidesExporter(config=settings, template_name="lesson", exclude_input_prompt=True)
    target.mkdir(parents=True, exist_ok=True)
    # The theme's own fonts would have to be loaded; those of the machine serve.
    read = lambda file: re.sub(r"@import[^;]*;", "", file.read_text(encoding="utf-8"))  # noqa: E731
    parts = {file.name.replace(".", ""): read(file) for file in runtime.glob("*.[jc]s*")}
    made = []
    for name in paths.labs():
        notebook = nbformat.read(paths.lab(name), 4)
        lay_out(notebook)
        words, _ = exporter.from_notebook_node(notebook, {"parts": parts, "metadata": {"name": name}})
        made.append(target / f"{name}.html")
        made[-1].write_text(words, encoding="utf-8")
    return made


def lay_out(notebook: nbformat.NotebookNode) -> None:
    """Say of each cell where it stands: on a new slide, below, on the same one, in the notes, or nowhere."""
    before = ""
    for cell in notebook.cells:
        kind, cell.source = _kind(cell, before)
        cell.metadata["slideshow"] = {"slide_type": kind}
        before = cell.cell_type


def _kind(cell: nbformat.NotebookNode, before: str) -> tuple[str, str]:
    """Return the place of a cell after one of another type, and the text that is shown."""
    source = cell.source
    if cell.cell_type == "code":
        setting = "parameters" in cell.metadata.get("tags", []) or re.match(r"(import|from) ", source)
        return ("skip" if setting else "subslide" if before == "code" else "-"), source
    if found := SOLUTION.fullmatch(source.strip()):
        return "notes", found["text"].replace("~~~", "```")
    if found := EXERCISE.fullmatch(source.strip()):
        return "subslide", f"### Exercise: {found['title']}\n\n{found['text']}"
    return ("slide" if source.startswith("#") else "subslide"), re.sub(r"\{(?:doc|ref)\}`(\S+?)`", r"*\1*", source)


if __name__ == "__main__":
    try:
        made = make(paths.root() / "_build" / "slides")
    except (FileNotFoundError, RuntimeError) as error:
        sys.exit(f"error: {error}")
    print(f"{len(made)} files of slides: {made[0].parent}")
