"""The page on external validation: what it shows of names from outside, and when it is rendered again."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from cxrseg.config import EvaluateConfig
from cxrseg.evaluate.scores import aggregate, score
from cxrseg.report.pages import external

NAMES = ["clinic A", "<img src=x onerror=alert(1)>", "a|b_c*d`e $f$ {g}", "#1 - [x](y)", "Zürich"]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr("cxrseg.paths.runs", lambda: tmp_path / "runs")
    monkeypatch.setattr(external, "networks_digest", lambda name: "now")
    return tmp_path / "runs"


def result(run, dice, spacing=None, **others):
    """Return a summary of three cases, with a class named as no class should be."""
    truth = np.zeros((40, 40, 1), bool)
    truth[5:25, 10:20] = True
    items = [
        ({"case_id": str(n), "label": NAMES[n % 2], "fold": 0}, truth, np.roll(truth, dice + n, axis=1), spacing)
        for n in range(3)
    ]
    scores = aggregate(score(items, ["lungs"]), ["lungs"], EvaluateConfig(resamples=100))
    return {"run": run, "refused": [], "own": [], **scores, **others}


def write(folder, summary):
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(json.dumps(summary))


def parsed(text):
    """Return the cells of each table row, and the items of each list, as a reader of Markdown sees them."""
    cells, kind = {"td": [], "li": []}, None
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type in ("td_open", "list_item_open"):
            kind = {"td_open": "td", "list_item_open": "li"}[token.type]
        if token.type == "inline" and kind:
            assert not any(child.type in ("html_inline", "link_open", "image") for child in token.children)
            cells[kind].append("".join(child.content for child in token.children))
        if token.type in ("td_close", "list_item_close"):
            kind = None
        assert token.type != "html_block"
    return cells


def test_names_and_scores_are_those_of_the_files(runs, tmp_path):
    write(runs / "mine", result("mine", 1))
    shared = {"networks": "now", "source": "folder", "grid": 256}
    for number, name in enumerate(NAMES):
        write(runs / "mine" / "external" / name, result("mine", number, **shared))
    write(
        runs / "mine" / "external" / "films",
        result("mine", 2, (0.2, 0.5), **shared | {"outlines": "Drawn *behind* the heart.", "networks": "before"}),
    )
    external.assemble("mine", tmp_path / "page")
    assert (tmp_path / "page" / "external.png").stat().st_size > 10_000
    found = parsed((tmp_path / "page" / "page.md").read_text())
    rows = np.reshape(found["td"], (-1, len(external.HEADERS))).tolist()
    assert {row[0] for row in rows} == {*NAMES, "films"}
    assert {row[1] for row in rows} == {"all", *NAMES[:2]}
    (films,) = [row for row in rows if row[:2] == ["films", "all"]]
    # Moved by 2, 3 and 4 of 10 columns: Dice 0.8, 0.7, 0.6. The height is 20 pixels; a column is half a millimetre.
    assert films[2:4] == ["3", "0.700"] and films[6] == "1.5" and films[5] == "15.0%"
    (note,) = [item for item in found["li"] if item.startswith("films")]
    assert "Drawn *behind* the heart." in note and "score it again" in note


def test_a_run_without_results_says_how_to_make_one(runs, tmp_path):
    write(runs / "mine", result("mine", 1))
    external.assemble("mine", tmp_path / "page")
    assert "cxrseg evaluate mine --on" in (tmp_path / "page" / "page.md").read_text()
    assert [file.name for file in (tmp_path / "page").iterdir()] == ["page.md"]


def test_matrix_is_shown_with_what_is_missing(runs, tmp_path):
    write(runs / "mine", result("mine", 1))
    cells = [
        {"run": run, "set": name, "n": 3, "mean": 0.7, "low": 0.6, "high": 0.8, "own": run == name, "left_out": 0,
         "networks": "before" if run == "default" else "now"}
        for run in ("mine", "default") for name in ("mine", *NAMES)
    ]  # fmt: skip
    cells[-1] |= {"n": 0, "mean": np.nan, "low": np.nan, "high": np.nan}
    pd.DataFrame(cells).to_csv(runs / "mine" / "matrix.csv", index=False)
    external.assemble("mine", tmp_path / "page")
    text = (tmp_path / "page" / "page.md").read_text()
    assert "networks of default have changed" in text
    rows = np.reshape(parsed(text)["td"], (2, -1)).tolist()
    assert rows[0] == ["mine", "0.700* (0.600 to 0.800)", *["0.700 (0.600 to 0.800)"] * 5]
    assert rows[1][-1] == "no score"
    assert (tmp_path / "page" / "matrix.png").is_file()


@pytest.mark.book
def test_a_new_result_renders_the_book_again(checkout, html, tiny):
    command = [sys.executable, "-m", "snakemake", "book", "--snakefile", checkout / "Snakefile", "--directory", "runs"]
    command += ["--config", 'runs=["tiny"]', "--cores", "1", "--dry-run"]

    def planned():
        done = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return "rule book" in done.stdout

    folder = tiny / "external" / "new"
    assert not planned()
    write(folder, {})
    assert planned()
    (folder / "summary.json").unlink()
    folder.rmdir()
    assert not planned()
