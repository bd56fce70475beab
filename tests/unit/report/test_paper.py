"""The pages of a small book, written by hand, put into one document for paper."""

import pytest
from bs4 import BeautifulSoup

from cxrseg.report import paper

TOC = {
    "root": "book/index",
    "parts": [
        {"caption": "The study", "chapters": [{"file": "book/one", "sections": [{"file": "book/run/two"}]}]},
        {"caption": "Use it", "chapters": [{"file": "book/api", "sections": [{"file": "book/api-data"}]}]},
    ],
}

PAGES = {
    "book/index": """<h1>A book<a class="headerlink" href="#x">#</a></h1><p><a href="one.html">One</a>
        <a href="run/two.html#here">here</a> <a href="api.html">The interface</a> <a href="https://a.example/">b</a></p>""",
    "book/one": """<h1>One</h1><p id="here">x</p><a href="#here">there</a>
        <div><table id="t"><caption><span class="caption-number">Table 1 </span>Known</caption>
        <tr><td>1</td></tr></table></div>
        <div id="w"><form hidden><input></form><canvas></canvas></div><script>alert(1)</script>
        <details class="sd-dropdown"><summary>Answers</summary>Forty-two</details>
        <details class="hide below-input"><summary>Show</summary>epoch 1</details>""",
    "book/run/two": """<h1>Two</h1><section id="here"><h2>Inner</h2><table><tr><td>2</td></tr></table>
        <img src="../../_images/a.png" loading="lazy" alt="A"></section>
        <a href="../one.html#t"><span class="std-numref">Table 1</span></a>""",
}


@pytest.fixture
def document(tmp_path):
    for name, content in PAGES.items():
        if name == "book/one":  # a table before that of the page, so that its number moves
            content = content.replace("<p id", "<table><tr><td>0</td></tr></table><p id")
        file = tmp_path / "html" / f"{name}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'<body><article class="bd-article"><section id="s">{content}</section></article></body>')
    text = paper.assemble(tmp_path / "html", paper.contents(TOC), {"book-run-two": 17}, "<header>Front</header>")
    return BeautifulSoup(text, "html.parser")


def test_contents_are_in_the_order_of_reading():
    assert paper.contents(TOC) == [
        (0, "book/index"), (-1, "The study"), (0, "book/one"), (1, "book/run/two"), (-1, "Use it"),
    ]  # fmt: skip


def test_every_link_leads_to_a_place_that_exists_once(document):
    ids = [element["id"] for element in document.select("[id]")]
    assert len(ids) == len(set(ids))
    links = [element["href"] for element in document.select("a[href]")]
    assert "https://a.example/" in links
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert document.find("a", string="here")["href"] != document.find("a", string="there")["href"]
    assert not document.find("a", string="The interface") and "The interface" in document.get_text()


def test_what_is_folded_is_open_and_what_needs_a_screen_is_named(document):
    assert not document.select("article script, form, input, canvas, details, summary, .headerlink, [loading]")
    assert "Forty-two" in document.get_text() and "epoch 1" not in document.get_text()  # a log is for a screen
    assert [note.code.string for note in document.select(".widget")] == ["book/one.html"]


def test_tables_are_numbered_and_references_follow(document):
    assert [number.string.strip() for number in document.select("caption .caption-number")] == [
        "Table 1", "Table 2", "Table 3",
    ]  # fmt: skip
    assert document.select("caption")[2].get_text() == "Table 3 Inner"
    assert document.find("a", href="#book-one--t").string == "Table 2"


def test_headings_lie_below_their_chapter_and_pages_are_numbered(document):
    assert [(heading.name, heading.string) for heading in document.select("article :is(h1, h2, h3)")] == [
        ("h1", "Overview"), ("h1", "One"), ("h2", "Two"), ("h3", "Inner"),
    ]  # fmt: skip
    lines = {line.a.span.string: line.a.b.string for line in document.select("nav li:not(.part)")}
    assert lines["Two"] == "17"


def test_pictures_are_found_from_beside_the_book(document):
    assert document.find("img")["src"] == "html/_images/a.png"
