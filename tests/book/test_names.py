"""Names from outside, of classes, cases, files and structures, are text in every notebook and on every page."""

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support import TINY, complaints, copy_checkout, cxrseg

from cxrseg.phantom import phantom

pytestmark = pytest.mark.book

HOSTILE = "<img src=x onerror=alert(1)>"
CLASSES = [HOSTILE, "a|b **x** $x$ {result}`n`", "_\u0645\u0631\u062d\u0628\u0627 \U0001fac1 {{ x }}"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a run whose classes, cases, files and structure are named as nobody would name them."""
    checkout, data = copy_checkout(tmp_path_factory.mktemp("odd") / "checkout"), tmp_path_factory.mktemp("data")
    for label in CLASSES:
        for number in range(4):
            chest = phantom(5, 10 * CLASSES.index(label) + number, "Normal", 64)
            for kind, pixels in (("images", chest.image), ("masks", chest.lungs.astype(np.uint8) * 255)):
                (data / label / kind).mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(data / label / kind / f"{label} & {number}.png")
    for kind in ("images", "masks"):
        (data / HOSTILE / kind / "<b>torn.png").write_bytes(b"")
    changes = ["data.cases_per_class={}", "data.source=folder", "data.max_refused=0.2"]
    changes.append(f"data.structures={json.dumps([HOSTILE])}")
    small = [*TINY, *(word for change in changes for word in ("--set", change))]
    done = cxrseg(checkout, "run", "demo", "--name", "odd", *small, "--data", data)
    assert done.returncode == 0, done.stderr
    return checkout / "runs" / "odd"


@pytest.fixture(scope="module")
def pages(run):
    """Return the rendered report of that run."""
    done = cxrseg(run.parents[1], "book", "odd")
    assert done.returncode == 0, done.stderr
    return run.parents[1] / "_build" / "html"


def read(html):
    """Return the attributes of all elements, as pairs, and the text."""
    parser, attributes, text = HTMLParser(), [], []
    parser.handle_starttag = lambda element, given: attributes.extend(given)
    parser.handle_data = text.append
    parser.feed(html)
    return attributes, "".join(text)


def test_in_every_notebook(run):
    assert set(pd.read_csv(run / "data" / "cases.csv")["label"]) == set(CLASSES)
    assert list(json.loads((run / "summary.json").read_text())["structures"]) == [HOSTILE]
    said = ""
    for notebook in run.glob("notebooks/*.ipynb"):
        cells = json.loads(notebook.read_text())["cells"]
        for output in (output for cell in cells for output in cell.get("outputs", [])):
            attributes, text = read("".join(output.get("data", {}).get("text/html", [])))
            assert "onerror" not in dict(attributes), notebook.name
            said += text
    assert all(name in said for name in CLASSES)


def test_on_every_page(pages):
    told = set()
    for page in pages.rglob("*.html"):
        attributes, text = read(page.read_text())
        assert "onerror" not in dict(attributes) and ("src", "x") not in attributes, page.name
        told |= {(page.stem, name) for name in CLASSES if name in text}
    assert {(page, name) for page in ("results", "atlas", "01-data", "03-evaluate") for name in CLASSES} <= told


@pytest.mark.browser
def test_on_the_pages_that_scripts_write(pages, chromium):
    browser = chromium()
    browser.implicitly_wait(20)
    for page, drawn in (("atlas", "#atlas-class option:nth-child(2)"), ("threshold", "#threshold-curve polyline")):
        browser.get(f"{pages.as_uri()}/book/{page}.html")
        browser.find_element("css selector", drawn)
        assert browser.execute_script("return document.querySelectorAll('[onerror], img[src=x]').length") == 0
        assert HOSTILE in browser.execute_script("return document.querySelector('article').textContent")
        assert complaints(browser) == []
