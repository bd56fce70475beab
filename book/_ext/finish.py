"""Go over every page once the book is written, so that anybody can use it, it is safe, and it loads quickly.

Themes and extensions write the pages in their own ways. What is to hold for all pages is therefore done at the end, on
the pages themselves: `accessible` mends them, `light` leaves out what nobody loads, and `policy` forbids the rest.
"""

from pathlib import Path

import accessible
import light
import policy
from bs4 import BeautifulSoup
from sphinx.application import Sphinx

FIRST = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<link rel="icon" href="_static/favicon.svg"><title>{title}</title>
<meta http-equiv="refresh" content="0; url={page}"></head>
<body><main><h1><a href="{page}">{title}</a></h1></main></body></html>
"""


def finish(app: Sphinx, error: Exception | None) -> None:
    """Rewrite each page of a finished HTML build."""
    if error or app.builder.name != "html":
        return
    folder = Path(app.outdir)
    first = FIRST.format(language=app.config.language, title=app.config.html_title, page=f"{app.config.root_doc}.html")
    (folder / "index.html").write_text(first, encoding="utf-8")
    light.remove_unused(folder)
    pictures = light.pack(folder / "_images")
    for file in sorted(folder.rglob("*.html")):
        page = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
        accessible.mend(page)
        light.lighten(page, file, pictures)
        policy.protect(page)
        file.write_text(str(page), encoding="utf-8")


def setup(app: Sphinx) -> dict:
    """Register the last step of a build."""
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
