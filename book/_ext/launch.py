"""Let the pages of notebooks be opened in Binder and Colab, where the repository is public on GitHub or GitLab.

Whether it is, and under which name and branch, says the remote ``origin`` of the checkout that is built. Without one
at these addresses, no button is shown and nothing leads elsewhere. Colab reads from GitHub only, and has the notebook
alone: its page says what to run there first.
"""

import re
import subprocess
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from sphinx.application import Sphinx

EXECUTED = "book/executed/"
NOTEBOOKS = "notebooks"
"""The pages are copies with output, which are not in the repository; these are what they were made from."""


def repository(folder: Path) -> tuple[str, str, str] | None:
    """Return host, ``owner/name`` and branch of the public repository that a folder is a checkout of.

    Without a branch (a checkout of one commit), the commit stands in its place. None if the folder is not the root of
    a checkout, or has no remote ``origin`` on github.com or gitlab.com.
    """
    if not (folder / ".git").exists():
        return None
    try:
        remote = _git(folder, "remote", "get-url", "origin")
        branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD")
        branch = _git(folder, "rev-parse", "HEAD") if branch == "HEAD" else branch
    except (OSError, subprocess.CalledProcessError):
        return None
    address = r"(?:https://|ssh://)?(?:[^@/]+@)?(github\.com|gitlab\.com)[:/](?:\d+/)?([\w./-]+?/[\w.-]+?)(?:\.git)?/?"
    found = re.fullmatch(address, remote)
    return (*found.groups(), branch) if found else None


def buttons(host: str, name: str, branch: str, file: str) -> list[dict]:
    """Return the buttons that open a file of a repository, as the theme takes them."""
    place = {"github.com": f"gh/{name}", "gitlab.com": f"gl/{quote(name, safe='')}"}[host]
    ref = quote(branch, safe="" if host == "gitlab.com" else "/")
    links = {"Binder": f"https://mybinder.org/v2/{place}/{quote(branch, safe='')}?urlpath=lab/tree/{file}"}
    if host == "github.com":
        links["Colab"] = f"https://colab.research.google.com/github/{name}/blob/{ref}/{file}"
    return [{"type": "link", "text": text, "tooltip": f"Open in {text}", "url": url} for text, url in links.items()]


def source(app: Sphinx, page: str) -> str | None:
    """Return the notebook of the repository that a page was made from, or None for any other page."""
    file = f"{NOTEBOOKS}/{page.removeprefix(EXECUTED)}.ipynb"
    return file if page.startswith(EXECUTED) and Path(app.srcdir, file).is_file() else None


def add_buttons(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Add the buttons to the head of a notebook's page."""
    file = source(app, page)
    if file and app.config.launch_repository:
        group = {"type": "group", "icon": "fas fa-rocket", "label": "launch-buttons", "tooltip": "Open the notebook"}
        context["header_buttons"].append(group | {"buttons": buttons(*app.config.launch_repository, file)})


def add_preparation(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Say under the title of a notebook's page what it needs in Colab."""
    if not (source(app, page) and app.config.launch_repository):
        return
    host, name, branch = app.config.launch_repository
    title = next(doctree.findall(nodes.title), None)
    if host == "github.com" and title:
        lines = preparation(f"https://{host}/{name}.git", branch)
        words = "In Colab, run this in a cell of its own first:"
        note = nodes.note("", nodes.paragraph("", words), classes=["launch"])
        note += nodes.literal_block("", "\n".join(lines), language="text")
        title.parent.insert(title.parent.index(title) + 1, note)


def preparation(address: str, ref: str) -> list[str]:
    """Return the lines of a notebook's cell that fetch a branch or a commit, and install it."""
    return [
        f"!git clone --quiet {address} checkout",
        "%cd checkout",
        f"!git checkout --quiet {ref}",
        "!pip install --quiet --editable .[study]",
    ]


def find(app: Sphinx) -> None:
    """Look once which repository this is."""
    app.config.launch_repository = repository(Path(app.srcdir))


def setup(app: Sphinx) -> dict:
    """Register what adds the buttons, after the theme has made room for them."""
    app.add_config_value("launch_repository", None, "html")
    app.connect("builder-inited", find)
    app.connect("doctree-resolved", add_preparation)
    app.connect("html-page-context", add_buttons, priority=502)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
