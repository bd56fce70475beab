"""The report on paper: the PDF read by poppler, and the document that it was printed from in a headless Chromium."""

import os
import re
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.browser

A4 = (210 / 25.4 * 72, 297 / 25.4 * 72)
MARGIN = 20 / 25.4 * 72


@pytest.fixture(scope="module")
def printed(checkout, html):
    """Return the PDF of the rendered report of the tiny run."""
    from cxrseg.report import pdf

    try:
        pdf.browser()
    except FileNotFoundError as error:
        (pytest.fail if os.environ.get("CXRSEG_REQUIRE_BROWSER") == "1" else pytest.skip)(str(error))
    done = subprocess.run([sys.executable, "-m", "cxrseg.report.pdf"], cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return html / "report.pdf"


@pytest.fixture(scope="module")
def pages(printed):
    """Return the text of each page, as poppler reads it, and its words with their boxes in points."""
    if not shutil.which("pdftotext"):
        message = "pdftotext is not installed (poppler-utils)"
        (pytest.fail if os.environ.get("CXRSEG_REQUIRE_POPPLER") == "1" else pytest.skip)(message)
    read = lambda *how: subprocess.run(["pdftotext", *how, printed, "-"], capture_output=True, text=True, check=True)  # noqa: E731
    texts = read("-layout").stdout.split("\f")[:-1]
    box = re.compile(r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>')
    boxes = [
        [(*map(float, found[:4]), found[4]) for found in box.findall(page)]
        for page in read("-bbox").stdout.split("<page ")[1:]
    ]
    return texts, boxes


def test_contents_name_the_page_on_which_a_chapter_begins(pages):
    texts, _ = pages
    first = next(number for number, text in enumerate(texts) if text.lstrip().startswith("Contents"))
    lines = re.findall(r"^ *(\S.*?\S)[ .]+(\d+)$", texts[first], re.MULTILINE)
    assert len(lines) > 30
    for title, number in lines:
        shown = " ".join(texts[int(number) - 1].split())
        assert title in shown, (title, number)
        others = [
            n
            for n, text in enumerate(texts[first + 1 :], first + 2)
            if re.search(rf"^ *{re.escape(title)}$", text, re.M)
        ]
        assert int(number) in others
    assert [int(number) for _, number in lines] == sorted(int(number) for _, number in lines)


def test_every_page_is_a4_numbered_and_within_its_margins(pages):
    texts, boxes = pages
    for number, (text, words) in enumerate(zip(texts, boxes, strict=True), start=1):
        if number > 1:
            assert text.split()[-1] == str(number)
        assert len(words) > 3, f"page {number} is empty"
        assert min(word[0] for word in words) > MARGIN - 1, f"page {number}"
        widest = max(words, key=lambda word: word[2])
        assert widest[2] < A4[0] - MARGIN + 1, f"page {number}: {widest}"


def test_figures_and_tables_are_numbered_without_a_gap_and_whole(pages):
    text = "\n".join(pages[0])
    for kind in ("Figure", "Table"):
        numbers = sorted({int(n) for n in re.findall(rf"^ *{kind} (\d+) \S", text, re.MULTILINE)})
        assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 20


def test_title_page_says_what_it_is_of(pages, tiny):
    import json

    made = json.loads((tiny / "summary.json").read_text())["provenance"]
    front = pages[0][0]
    assert "Lung segmentation in chest X-rays" in front and "The cxrseg authors" in front
    assert made["created"][:10] in front and made["commit"][:7] in front


def test_document_is_whole(printed, chromium):
    """Every picture is there, nothing is wider than the paper or higher than a page, and every link leads somewhere."""
    browser = chromium(1300, 900)
    browser.get((printed.parents[1] / "report.html").as_uri())
    found = browser.execute_script("""
      const right = document.body.getBoundingClientRect().right;
      const outside = (e) => e.getBoundingClientRect().right > right + 1;
      const name = (e) => `${e.tagName} ${e.textContent.slice(0, 40)} ${e.getAttribute("src") ?? ""}`;
      const all = (selector, test) => [...document.querySelectorAll(selector)].filter(test).map(name);
      return {
        missing: all("img", (e) => !e.naturalWidth),
        wide: all("table, figure, img, pre, p, li, math", outside),
        high: all("figure", (e) => e.offsetHeight > 250 / 25.4 * 96),
        widgets: all("form, input, canvas, button, article script", () => true),
        dangling: all('a[href^="#"]', (e) => !document.getElementById(decodeURIComponent(e.hash.slice(1)))),
        pictures: all("img", () => true).length,
      };
    """)
    assert found.pop("pictures") > 20
    assert all(names == [] for names in found.values()), found


def test_first_page_links_the_pdf_once(printed, html):
    assert (html / "book" / "index.html").read_text().count('href="../report.pdf"') == 1
    assert printed.read_bytes()[:5] == b"%PDF-"
