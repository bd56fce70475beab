"""Put the rendered pages of the book into one HTML document that a browser can print.

The pages are taken as they were built, in the order of the table of contents, so that every number, figure and
reference is that of the book. What only works on a screen is left out or opened.
"""

import json
import os
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

from cxrseg import paths

LEFT_OUT = ("book/api", "book/executed/labs")
"""Pages whose names begin so are not printed: a reference of the interface is for searching, a lab for working in."""

SCREEN = (
    ".headerlink, .launch, .toctree-wrapper, .sd-container-fluid:has(.sd-stretched-link), .atlas-back, svg, link, style"
)
"""What leads from page to page, or belongs to the screen's style."""

WIDGETS = "form, input, canvas, button, select"

FIT = """
for (const part of document.querySelectorAll("table, pre, .math-block, .admonition")) {
  const room = part.parentElement.clientWidth;
  if (part.scrollWidth > room) part.style.zoom = room / part.scrollWidth;
  if (part.offsetHeight < 400) part.style.breakInside = "avoid";
}
"""
"""Shrinks what is wider than the paper, and keeps whole what is less than half a page high.

The style sheet gives the page on the screen the width of the print, so that it can be measured there.
"""


def contents(toc: dict) -> list[tuple[int, str]]:
    """Return the entries of a table of contents, as ``_toc.yml`` has them, in the order of reading.

    Returns
    -------
    list of (depth, text)
        A page by its name, chapters at depth 0; a caption of a part at depth -1.
    """

    def below(entries: list[dict], depth: int) -> list[tuple[int, str]]:
        return [
            line for entry in entries for line in [(depth, entry["file"]), *below(entry.get("sections", []), depth + 1)]
        ]

    found = [(0, toc["root"])]
    for part in toc["parts"]:
        found += [(-1, part["caption"]), *below(part["chapters"], 0)]
    return [(depth, text) for depth, text in found if not text.startswith(LEFT_OUT)]


def anchor(page: str, fragment: str = "") -> str:
    """Return the name of a page, or of a place in it, within the one document."""
    return page.replace("/", "-") + (f"--{fragment}" if fragment else "")


def assemble(html: Path, entries: list[tuple[int, str]], numbers: dict[str, int], front: str) -> str:
    """Return the pages of a book as one HTML document.

    Parameters
    ----------
    html : Path
        The folder of the rendered book. Addresses in the document are relative to the folder above it.
    entries : list of (depth, text)
        From `contents`.
    numbers : dict
        The page of the print on which each name of `anchor` lies, as far as it is known.
    front : str
        HTML of the title page.
    """
    names = {text for depth, text in entries if depth >= 0}
    lines, body, tables = [], [], {}
    part = ""
    for depth, text in entries:
        if depth < 0:
            part = f'<p class="part">{escape(text)}</p>'
            lines.append(f'<li class="part">{escape(text)}</li>')
            continue
        page = _parsed((html / f"{text}.html").read_text(encoding="utf-8")).select_one("article.bd-article")
        for_paper(page, text)
        number_tables(page, text, tables)
        link(page, text, names)
        if not body:
            page.h1.string = "Overview"  # the book's own title is on the title page
        title = page.h1.get_text()
        lower_headings(page, depth)
        lines.append(
            f'<li class="depth{depth}"><a href="#{anchor(text)}"><span>{escape(title)}</span><i></i>'
            f"<b>{numbers.get(anchor(text), 0)}</b></a></li>"
        )
        body.append(f'<article class="depth{depth}" id="{anchor(text)}">{part}{page.decode_contents()}</article>')
        part = ""
    document = _parsed("".join(body))
    for reference in document.select("a:has(.std-numref)"):
        name = reference["href"].removeprefix("#")
        if name in tables:
            reference.string = f"Table {tables[name]}"
    style = Path(__file__).with_name("paper.css").read_text(encoding="utf-8")
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(settings()["title"])}</title>'
        f'<link rel="stylesheet" href="{html.name}/_static/pygments.css"><style>{style}</style></head>'
        f"<body>{front}<nav><h1>Contents</h1><ul>{''.join(lines)}</ul></nav>{document}<script>{FIT}</script></body></html>"
    )


def for_paper(page: Tag, name: str) -> None:
    """Leave out what only a screen can do, open what is folded, and say where the widgets are."""
    widgets = page.select(WIDGETS)
    if widgets:
        where = f"This part is interactive: open <code>{escape(name)}.html</code> in the rendered report."
        _block(widgets[0]).insert_before(_parsed(f'<p class="widget">{where}</p>'))
    for block in {id(block): block for block in map(_block, widgets)}.values():
        block.decompose()
    for useless in page.select(f"{SCREEN}, script, noscript, [hidden]"):
        useless.decompose()
    for log in page.select("details.below-input"):
        log.decompose()
    for enlarged in page.select("a.picture"):
        enlarged.unwrap()
    for image in page.select("img[loading]"):
        del image["loading"]
    for folded in page.select("details"):
        folded.name = "div"
        title = folded.find("summary")
        if "above-input" in folded["class"]:
            title.decompose()
            folded["class"] = []
        else:
            title.name = "p"
    for number in page.select("abbr.result"):
        number.unwrap()
    for head in page.select("thead"):
        if not head.get_text(strip=True):
            head.decompose()


def number_tables(page: Tag, name: str, tables: dict[str, int]) -> None:
    """Give every table of a page a number and a caption; `tables` receives the number of each that has a name."""
    for table in page.select("table"):
        number = tables[anchor(name, table.get("id") or f"table-{len(tables)}")] = len(tables) + 1
        known = table.select_one(".caption-number")
        if known:
            known.string = f"Table {number} "
        else:
            heading = table.find_previous(["h1", "h2", "h3", "h4"]).get_text()
            caption = f'<span class="caption-number">Table {number} </span>{escape(heading)}'
            table.insert(0, _parsed(f'<caption class="heading">{caption}</caption>'))


def link(page: Tag, name: str, names: set[str]) -> None:
    """Make names unique and let links lead to places of the one document; a link to a page left out becomes text."""
    folder = Path(name).parent
    used = set()
    for element in page.select("[id]"):
        element["id"] = anchor(name, element["id"])
        if element["id"] in used:
            del element["id"]
        else:
            used.add(element["id"])
    for image in page.select("img[src]"):
        image["src"] = os.path.normpath(Path("html") / folder / image["src"])
    for element in page.select("a[href]"):
        target = urlsplit(element["href"])
        if target.scheme:
            continue
        file = os.path.normpath(folder / target.path).removesuffix(".html") if target.path else name
        if file in names:
            element["href"] = "#" + anchor(file, target.fragment)
        else:
            element.unwrap()


def lower_headings(page: Tag, depth: int) -> None:
    """Put the headings of a page below those of the chapter that it belongs to."""
    for heading in page.select("h1, h2, h3, h4, h5"):
        heading.name = f"h{min(6, int(heading.name[1]) + depth)}"


def title_page() -> str:
    """Return the HTML of the title page, from the book's settings and the record of the run that it shows."""
    summary = json.loads((paths.root() / "book" / "executed" / "summary.json").read_text(encoding="utf-8"))
    made = summary["provenance"]
    facts = {
        "Run": f"{summary['title']} ({summary['run']})",
        "Date of the run": made["created"][:10],
        "Source version": made["commit"][:12] + (", with changes" if made["dirty"] else ""),
        "Licence": "text CC BY 4.0, code MIT",
        "Left out here": "the labs and the reference of the Python interface; they are in the rendered report",
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    title, author = (escape(settings()[key]) for key in ("title", "author"))
    return (
        f'<header><p class="title">{title}</p><p class="authors">{author}</p>'
        f"<dl>{rows}</dl><p>Not a medical device: nothing here may be used to diagnose or to treat.</p></header>"
    )


def settings() -> dict:
    """Return the settings of the book, ``_config.yml``."""
    return yaml.safe_load((paths.root() / "_config.yml").read_text(encoding="utf-8"))


def _block(element: Tag) -> Tag:
    """Return the part of a page that an element belongs to: what lies directly in a section."""
    while element.parent.name != "section":
        element = element.parent
    return element


def _parsed(text: str) -> BeautifulSoup:
    return BeautifulSoup(text, "html.parser")
