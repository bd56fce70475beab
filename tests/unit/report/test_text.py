from html.parser import HTMLParser

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from cxrseg.report import text

NAMES = [
    "<img src=x onerror=alert(1)>", "a|b", "**x**", "_x_", "$x$", "`x`", "{result}`dice.mean`", "[a](b)", "# x", "1. x",
    "- x", "&amp;", "\\", "~~~", "=1+1", "مرحبا", "🫁", "{{ x }}",
]  # fmt: skip


def words(html: str) -> tuple[str, set[str]]:
    """Return the text of a page and its elements, as a browser reads them."""
    parser, found, elements = HTMLParser(), [], set()
    parser.handle_data = found.append
    parser.handle_starttag = lambda element, _: elements.add(element)
    parser.feed(html)
    return "".join(found).strip(), elements


@pytest.mark.parametrize("name", NAMES)
def test_markdown_shows_the_name(name):
    assert words(MarkdownIt("commonmark").render(text.markdown(name))) == (name, {"p"})


@pytest.mark.parametrize("name", NAMES)
def test_cells_and_headings_of_a_table_are_text(name):
    frame = pd.DataFrame({name: [name, 0.12345]}, index=[name, "other"])
    content, elements = words(text.table(frame, precision=3).to_html())
    assert content.count(name) == 3
    assert "0.123" in content and "0.1234" not in content
    assert elements <= {"style", "table", "thead", "tbody", "tr", "th", "td"}
