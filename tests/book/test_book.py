"""The rendered report: strict, self-contained, and without anything a reader should not see."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

import nbformat
import pytest
from support import ROOT

from cxrseg.report import book

pytestmark = pytest.mark.book


class Assets(HTMLParser):
    """Collect what a browser fetches by itself, what links lead to, and pictures without a text."""

    def __init__(self):
        super().__init__()
        self.assets, self.links, self.ids, self.mute = [], [], set(), []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.ids.add(attributes["id"])
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed"):
            self.assets.append(attributes.get("src") or "")
        if tag == "link" and attributes.get("rel") not in (
            "canonical",
            "index",
            "search",
            "next",
            "prev",
            "author",
            "license",
        ):
            self.assets.append(attributes.get("href") or "")
        if tag == "a":
            self.links.append(attributes.get("href") or "")
        if tag == "img" and not (attributes.get("alt") or "").strip():
            self.mute.append(attributes.get("src"))


def parsed(page: Path) -> Assets:
    parser = Assets()
    parser.feed(page.read_text())
    return parser


def pages(html):
    return sorted(html.rglob("*.html"))


def test_pages_of_every_section_are_there(html):
    names = {page.stem for page in (html / "book").rglob("*.html")}
    assert names >= {
        "index", "introduction", "literature", "dataset", "objective", "architecture", "learning", "segmentation",
        "results", "external", "clinical", "conclusion", "references", "reproduce",
        "01-data", "02-train", "03-evaluate", "04-compare",
    }  # fmt: skip


def test_nothing_comes_from_elsewhere(html):
    for page in pages(html):
        outside = [asset for asset in parsed(page).assets if re.match(r"(https?:)?//", asset)]
        assert outside == [], page
    for sheet in html.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import ['\"]http", sheet.read_text()), sheet


def test_links_between_pages_lead_somewhere(html):
    found = {page: parsed(page) for page in pages(html)}
    for page, content in found.items():
        for link in content.links:
            target = urlparse(link)
            if target.scheme or link.startswith("//"):
                continue
            file = (page.parent / unquote(target.path)).resolve() if target.path else page
            if target.path:
                assert file.exists(), f"{page.name}: {link}"
            if target.fragment and file in found:
                assert unquote(target.fragment) in found[file].ids, f"{page.name}: {link}"


def test_pictures_have_a_text(html):
    for page in pages(html):
        # The theme's own logo slot aside, every picture says what it shows.
        assert parsed(page).mute == [], page


def test_no_page_shows_an_accident(html, checkout):
    for page in (html / "book").rglob("*.html"):
        text = re.sub(r"<script.*?</script>|<style.*?</style>", "", page.read_text(), flags=re.DOTALL)
        text = re.sub(r"<[^>]+>", "", text)
        signs = ("Traceback", "Warning:", "nan%", "I0000 00", "{result}", "problematic", "Alias for field number")
        for sign in (*signs, str(checkout), str(ROOT)):
            assert sign not in text, (page, sign)
        for line in text.splitlines():
            # A number with all its digits; a DOI may look like one.
            assert not re.search(r"\d\.\d{9,}", re.sub(r"doi:\S+", "", line)), (page, line)


def test_constants_in_the_reference_are_whole_sentences(html):
    """Napoleon takes what stands before a colon in a constant's docstring for a type, and moves it to the end."""
    for page in (html / "book").glob("api*.html"):
        for entry in page.read_text().split('<dl class="py ')[1:]:
            assert not (entry.startswith("data") and re.search(r"<dt[^>]*>Type<", entry)), (page, entry[:300])


def test_numbers_are_those_of_the_run(html, tiny):
    import json

    summary = json.loads((tiny / "summary.json").read_text())
    text = (html / "book" / "results.html").read_text()
    assert f"{summary['dice']['mean']:.3f}" in text
    assert f"{summary['n_parameters']:,}" in text


def test_unknown_key_fails_the_build(tmp_path, monkeypatch):
    """A book of one page, in which a name is misspelt."""
    shutil.copytree(ROOT / "book" / "_ext", tmp_path / "book" / "_ext")
    for name in ("Snakefile", "_config.yml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "studies").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
    (tmp_path / "book" / "index.md").write_text("# A book\n\n{result}`dice.meen`\n")
    (tmp_path / "book" / "references.bib").touch()
    (tmp_path / "book" / "_static").mkdir()
    shutil.copy(ROOT / "book" / "_static" / "book.css", tmp_path / "book" / "_static")
    shutil.copy(ROOT / "book" / "_static" / "favicon.svg", tmp_path / "book" / "_static")
    (tmp_path / "book" / "executed" / "static").mkdir(parents=True)
    (tmp_path / "book" / "executed" / "summary.json").write_text('{"dice": {"mean": 0.9}}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(book, "stage", lambda name: None)
    with pytest.raises(RuntimeError, match=r"dice\.meen'; similar: dice\.mean"):
        book.build("tiny")
    (tmp_path / "book" / "index.md").write_text("# A book\n\n{result}`dice.mean`\n")
    assert "0.900" in book.build("tiny").with_name("book").joinpath("index.html").read_text()


def test_parameters_and_log_lines_fold_away(tmp_path):
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    stream = nbformat.v4.new_output("stream", text="epoch 1")
    shown = nbformat.v4.new_output("execute_result", {"text/plain": "1"}, execution_count=1)
    cells = [
        code("a: int = 1", metadata={"tags": ["parameters"]}),
        code("a = 2", metadata={"tags": ["injected-parameters"]}),
        code("train()", outputs=[stream]),
        code("table", outputs=[stream, shown]),
        text("Text."),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "one.ipynb")
    found = nbformat.reads(book.folded(tmp_path / "one.ipynb"), 4)
    assert [cell.metadata.tags for cell in found.cells] == [
        ["parameters", "hide-input"], ["injected-parameters", "hide-input"], ["hide-output"], [], [],
    ]  # fmt: skip
    said = [cell.metadata.get("mystnb", {}).get("code_prompt_show", "") for cell in found.cells]
    assert len({*said[:2], ""}) == 3 and said[2:] == ["", "", ""]  # the defaults are told from the run's own
    assert [cell.source for cell in found.cells] == [cell.source for cell in cells]
