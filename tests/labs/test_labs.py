"""The labs run from their file alone, and their exercises are red on no answer and on a wrong one, green on a right."""

import copy
import re
import shutil

import nbformat
import pytest
from nbclient import NotebookClient
from support import ROOT

from cxrseg.labs.feedback import questions_of

LABS = sorted(path.stem for path in (ROOT / "notebooks" / "labs").glob("*.ipynb"))


def read(lab):
    return nbformat.read(ROOT / "notebooks" / "labs" / f"{lab}.ipynb", 4)


def tagged(notebook, tag):
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def solutions(notebook):
    """Return the label and the code of each solution, in order."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return dict(re.findall(r"```\{solution\} (\S+)\n:class: dropdown\n\n~~~python\n(.*?)~~~", text, re.DOTALL))


def checking(cell):
    """Return the call in the last line of an exercise, which says whether the answer is right."""
    return cell.source.splitlines()[-1]


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_has_what_a_lesson_needs(lab):
    notebook = read(lab)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    labels = re.findall(r"```\{exercise\}.*\n:label: (\S+)", text)
    assert notebook.cells[0].source.startswith("# Lab ") and "What you will learn" in notebook.cells[0].source
    assert "You need" in text and "It takes" in text
    assert 4 <= len(labels) <= 6 and labels == list(solutions(notebook))
    assert len(tagged(notebook, "exercise")) == len(labels)
    assert [cell.source.split(":")[0] for cell in tagged(notebook, "parameters")] == ["fast"]
    assert f'quiz("{lab}")' in notebook.cells[-1].source
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 30, cell.source
    for cell in tagged(notebook, "exercise"):
        assert "..." in cell.source and checking(cell).startswith("check(")


@pytest.mark.parametrize("lab", LABS)
def test_a_quiz_has_one_right_answer_to_each_question(lab):
    questions = questions_of(lab)
    assert 3 <= len(questions) <= 5
    for question in questions:
        assert sum(option["right"] for option in question["options"]) == 1
        assert all(option["because"].endswith((".", "?")) for option in question["options"])


@pytest.mark.slow
@pytest.mark.parametrize("lab", LABS)
def test_exercises_check_themselves(lab, tmp_path):
    """Run the file alone in an empty folder, each exercise three times: as it is, with nonsense, and solved."""
    shutil.copyfile(ROOT / "notebooks" / "labs" / f"{lab}.ipynb", tmp_path / "lab.ipynb")
    notebook = nbformat.read(tmp_path / "lab.ipynb", 4)
    solved, cells = iter(solutions(notebook).values()), []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "parameters" in tags:
            cell.source = "fast = True"
        cells.append(cell)
        if "exercise" in tags:
            wrong, right = copy.deepcopy(cell), copy.deepcopy(cell)
            wrong.source = cell.source.replace("...", "-12345.5")
            right.source = f"{next(solved)}\n{checking(cell)}"
            cells += [wrong, right]
    notebook.cells = [nbformat.from_dict({**cell, "id": f"cell-{k}"}) for k, cell in enumerate(cells)]
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = [said_by(cell) for cell in tagged(notebook, "exercise")]
    for plain, nonsense, answered in zip(said[::3], said[1::3], said[2::3], strict=True):
        assert plain.startswith("Not yet:") and nonsense.startswith("Not yet:")
        assert answered == "Right."
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lab.ipynb"], "a lab leaves nothing behind"


def said_by(cell):
    """Return the plain text of what the check showed."""
    (shown,) = [o["data"]["text/plain"] for o in cell.outputs if "text/html" in o.get("data", {})]
    return shown
