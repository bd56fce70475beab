"""The notebooks and the configuration say the same, and every notebook works on its own."""

import ast
import json
import os
import re
import subprocess
import sys

import nbformat
import papermill
import pytest
from support import ROOT, copy_checkout

from cxrseg.config import DataConfig, EvaluateConfig, TrainConfig
from cxrseg.paths import STAGES
from cxrseg.workflow import FOLDERS, SETTINGS, execute_notebook

SECTIONS = {"01-data": DataConfig, "02-train": TrainConfig, "03-evaluate": EvaluateConfig, "04-compare": None}
OWN = {
    "01-data": {"run"},
    "02-train": {"run", "fold"},
    "03-evaluate": {"run", "run_folds"},
    "04-compare": {"run", "others"},
}


def read(stage):
    return nbformat.read(ROOT / "notebooks" / f"{stage}.ipynb", as_version=4)


def sources(notebook, kind="code"):
    return ["".join(cell.source) for cell in notebook.cells if cell.cell_type == kind]


def parameters(notebook):
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(cells) == 1
    return cells[0].source


@pytest.mark.parametrize("stage", STAGES)
def test_parameters_are_those_of_the_configuration(stage):
    notebook = read(stage)
    values = {
        node.target.id: ast.literal_eval(node.value)
        for node in ast.parse(parameters(notebook)).body
        if isinstance(node, ast.AnnAssign)
    }
    section = SECTIONS[stage]
    expected = section().model_dump() if section else {}
    assert set(values) == set(expected) | OWN[stage]
    assert {name: values[name] for name in expected} == expected
    # What `papermill --help-notebook` shows: each parameter with its type and its help.
    inferred = papermill.inspect_notebook(ROOT / "notebooks" / f"{stage}.ipynb")
    assert set(inferred) == set(values)
    assert all(parameter["help"] and parameter["inferred_type_name"] != "None" for parameter in inferred.values())


@pytest.mark.parametrize("stage", STAGES)
def test_every_parameter_is_read(stage):
    notebook = read(stage)
    names = {node.target.id for node in ast.parse(parameters(notebook)).body if isinstance(node, ast.AnnAssign)}
    later = "\n".join(source for source in sources(notebook) if source != parameters(notebook))
    used = {n.id for n in ast.walk(ast.parse(later)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    section = SECTIONS[stage]
    picked = set(section.model_fields) if section and f"config = {section.__name__}.pick(globals())" in later else set()
    assert names <= used | picked
    assert not section or "config" in used


def test_pick_reads_every_key_and_nothing_else():
    changed = EvaluateConfig(threshold=0.3, seed=7)
    assert EvaluateConfig.pick({**changed.model_dump(), "run": "x", "__name__": "notebook"}) == changed
    with pytest.raises(KeyError):
        EvaluateConfig.pick({"threshold": 0.3})


@pytest.mark.parametrize("stage", STAGES)
def test_notebooks_are_stripped_and_thin(stage):
    for cell in read(stage).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
            if "parameters" in cell.metadata.get("tags", []):
                # As long as the list of parameters is, but a list: a literal a line, nothing computed.
                statements = ast.parse(cell.source).body
                assert len(cell.source.splitlines()) == len(statements)
                for statement in statements:
                    assert isinstance(statement, ast.AnnAssign)
                    ast.literal_eval(statement.value)
            else:
                assert len(cell.source.splitlines()) <= 20


@pytest.mark.parametrize("stage", STAGES)
def test_notebooks_teach(stage):
    text = "\n".join(sources(read(stage), "markdown"))
    assert "What you will learn" in text
    labels = re.findall(r"```\{exercise\}.*\n:label: (\S+)", text)
    solved = re.findall(r"```\{solution\} (\S+)\n:class: dropdown", text)
    assert labels == solved
    assert 2 <= len(labels) <= 3


@pytest.mark.parametrize("stage", STAGES)
def test_figures_have_a_text_for_those_who_cannot_see_them(stage):
    for cell in read(stage).cells:
        if cell.cell_type == "code" and re.search(r"^(plots\.|show\()", cell.source.splitlines()[-1]):
            assert cell.metadata["mystnb"]["image"]["alt"]
            assert cell.metadata["mystnb"]["figure"]["caption"]


@pytest.mark.slow
def test_each_notebook_runs_alone_through_papermill(tmp_path):
    """Start with the last in a checkout without any run: it makes what it needs, as small as it gets."""
    checkout = shrunk(copy_checkout(tmp_path))
    for stage in reversed(STAGES):
        command = [
            sys.executable,
            "-m",
            "papermill",
            f"notebooks/{stage}.ipynb",
            "out.ipynb",
            "-p",
            "run",
            f"alone-{stage}",
        ]
        if stage == "02-train":
            command += ["-p", "epochs", "3"]
        environment = os.environ | {"PYTHONPATH": str(checkout)}
        done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr[-3000:]
    record = json.loads((checkout / "runs" / "alone-02-train" / "fold-0" / "train.json").read_text())
    assert record["config"]["epochs"] == 3
    summary = json.loads((checkout / "runs" / "alone-04-compare" / "summary.json").read_text())
    assert summary["n_cases"] == summary["dice"]["n"] > 0


def shrunk(checkout):
    """Make the defaults tiny, so that a notebook on its own takes seconds."""
    for file, changes in {
        "config.py": {"Field(25, ge=1": "Field(2, ge=1", "Field(16, ge=1": "Field(2, ge=1"},
        "data/sources/phantom.py": {"100": "6"},
    }.items():
        text = (checkout / "cxrseg" / file).read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        (checkout / "cxrseg" / file).write_text(text)
    return checkout


def test_a_notebook_whose_process_is_killed_says_so(tmp_path, monkeypatch):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import os; os.kill(os.getpid(), 9)")])
    nbformat.write(notebook, tmp_path / "deadly.ipynb")
    monkeypatch.setattr("cxrseg.paths.notebook", lambda stage: tmp_path / f"{stage}.ipynb")
    for name in (*FOLDERS, *SETTINGS, "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "")
    with pytest.raises(RuntimeError, match=r"deadly\.ipynb was killed, most likely for lack of memory"):
        execute_notebook("deadly", tmp_path / "out.ipynb", {})
    assert not (tmp_path / "out.ipynb").exists()
