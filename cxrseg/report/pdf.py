"""Print the rendered report as one PDF, with a Chromium of the machine: ``python -m cxrseg.report.pdf``.

The table of contents needs the numbers of the pages, which are known once the pages are laid out. The document is
therefore printed twice: first to see where the chapters lie, then with their numbers.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from cxrseg import paths
from cxrseg.report import paper

PROGRAMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)

SLOT = '<p id="report-pdf"></p>'
"""What the first page of the book holds where the link to the PDF belongs."""

LINK = '<p id="report-pdf"><a href="../report.pdf">The whole report as one PDF</a>, for paper.</p>'


def make() -> Path:
    """Print the rendered report, and link it from its first page.

    Returns
    -------
    Path
        ``_build/html/report.pdf``.

    Raises
    ------
    FileNotFoundError
        There is no rendered report, or no Chromium.
    RuntimeError
        Chromium failed.
    """
    root = paths.root()
    html, document = root / "_build" / "html", root / "_build" / "report.html"
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    first = html / f"{toc['root']}.html"
    if not first.is_file():
        raise FileNotFoundError(f"{first} is missing: there is no rendered report yet, run make book first")
    program = browser()
    target = html / "report.pdf"
    numbers = {}
    for _ in range(2):
        text = paper.assemble(html, paper.contents(toc), numbers, paper.title_page())
        document.write_text(text, encoding="utf-8")
        print_to(program, document, target)
        numbers = page_numbers(target.read_bytes())
    first.write_text(first.read_text(encoding="utf-8").replace(SLOT, LINK), encoding="utf-8")
    return target


def browser() -> str:
    """Return the program that prints.

    Raises
    ------
    FileNotFoundError
        There is none. The message says what to install.
    """
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not found:
        raise FileNotFoundError(
            "printing the PDF needs Chromium or Chrome, and neither is installed; on Debian: apt install chromium, "
            "on Ubuntu: apt install chromium-browser, elsewhere: install Google Chrome"
        )
    return found


def print_to(program: str, document: Path, target: Path) -> None:
    """Print an HTML file to a PDF with an outline.

    Raises
    ------
    RuntimeError
        Chromium printed nothing within two minutes. The message contains the last line that it wrote.
    """
    target.unlink(missing_ok=True)
    # A profile of its own, beside the document: an open browser keeps its, and a packaged one may not see /tmp.
    with TemporaryDirectory(dir=document.parent, prefix="chromium-", ignore_cleanup_errors=True) as profile:
        command = [
            program, "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            f"--user-data-dir={profile}", "--no-pdf-header-footer", "--generate-pdf-document-outline",
            f"--print-to-pdf={target}", document.as_uri(),
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # Chromium has none for root, as whom containers run
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)
            said = done.stderr.strip().splitlines()
        except subprocess.TimeoutExpired:
            said = ["it took more than two minutes"]
    if not target.is_file():
        raise RuntimeError(f"{program} did not print {document}: {said[-1] if said else 'it gave no reason'}")


def page_numbers(pdf: bytes) -> dict[str, int]:
    """Return the page, from 1, of every named destination of a PDF that Chromium wrote.

    Chromium writes the objects for pages in their order, and those for destinations, uncompressed.
    """
    pages = re.findall(rb"^(\d+) 0 obj\n<</Type /Page\n", pdf, re.MULTILINE)
    places = {page: number for number, page in enumerate(pages, start=1)}
    names = re.findall(rb"/([\w.-]+) \[(\d+) 0 R /XYZ", pdf)
    return {name.decode(): places[page] for name, page in names if page in places}


if __name__ == "__main__":
    try:
        print(f"open {make()}")
    except (FileNotFoundError, RuntimeError) as error:
        sys.exit(f"error: {error}")
