"""The exercises of the notebooks: every solution that one offers runs."""

import json
import re
import shutil

import nbformat
import pytest
from nbclient import NotebookClient
from support import ROOT

from cxrseg.paths import STAGES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stage", STAGES)
def test_solutions_of_the_exercises_run(stage, tiny):
    """Execute the notebook on a copy of the tiny run, and after it every solution it offers."""
    shutil.copytree(tiny, tiny.with_name("lesson"), dirs_exist_ok=True)
    notebook = nbformat.read(ROOT / "notebooks" / f"{stage}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    solutions = re.findall(r"~~~python\n(.*?)~~~", text, re.DOTALL)
    assert solutions
    executed = json.loads(
        (tiny / "notebooks" / f"{'02-train-fold0' if stage == '02-train' else stage}.ipynb").read_text()
    )
    injected = next(
        "".join(cell["source"])
        for cell in executed["cells"]
        if "injected-parameters" in cell["metadata"].get("tags", [])
    )
    assert 'run = "tiny"' in injected
    injected = injected.replace('run = "tiny"', 'run = "lesson"')
    place = next(k for k, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(injected))
    notebook.cells += [nbformat.v4.new_code_cell(solution) for solution in solutions]
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tiny)}}).execute()
