r"""The ``{result}`` role inserts a measured number into the prose, so that no number is typed by hand.

``{result}`dice.mean` `` reads ``book/executed/summary.json``, the scores of the rendered run.
``{result}`quex:dice.mean` `` reads ``book/published/quex.json``, which is committed with the command that produced it;
``{result}`default:seed` `` the card of the default model. A format may follow a bar: ``|.4f``, ``|.1%``, or ``|code``
for a command or a name. Inside a table the bar is written ``\|``. An unknown key gives a warning with its source line,
so that a strict build fails.

The ``{result-table}`` directive makes one row per entry of a key with several values::

    ```{result-table} classes
    :headers: Class, Cases, Mean Dice
    :columns: n, dice.mean|.4f
    ```

Without ``columns``, the second column contains the value of the entry itself.

A number says where it comes from when it is pointed at: file, key, command and source version. The foot of a page
names the command that makes all its published numbers, and how long that takes.
"""

import difflib
import json
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

EXECUTED = "book/executed/summary.json"
PUBLISHED = "book/published/{name}.json"
DEFAULT = "cxrseg/models/default.json"

logger = logging.getLogger(__name__)


def parse(text: str) -> tuple[str, str, str]:
    """Split ``source:key|format`` into the file to read, the dotted key and the format."""
    key, _, spec = text.partition("|")
    name, colon, rest = key.partition(":")
    file = DEFAULT if name.strip() == "default" else PUBLISHED.format(name=name.strip())
    source = file if colon else EXECUTED
    return source, (rest if colon else key).strip(), spec.strip()


def lookup(tree, key: str):
    """Return the value at a dotted key. Names may contain dots, and list items are addressed by position.

    Raises
    ------
    KeyError
        There is no such value. The message lists the most similar keys.
    """
    found = _descend(tree, key.split("."))
    if not found:
        near = difflib.get_close_matches(key, flatten(tree), n=3, cutoff=0.5)
        raise KeyError(f"no value '{key}'" + (f"; similar: {', '.join(near)}" if near else ""))
    return found[0]


def _descend(tree, names: list[str]) -> list:
    """Return a list with the value, or an empty list if there is none, because the value itself may be None."""
    if not names:
        return [tree]
    if isinstance(tree, list):
        position = int(names[0]) if names[0].isdecimal() else len(tree)
        return _descend(tree[position], names[1:]) if position < len(tree) else []
    if isinstance(tree, dict):
        for end in range(len(names), 0, -1):  # try the longest name first: "Non-COVID 2.0" before "Non-COVID 2"
            name = ".".join(names[:end])
            if name in tree and (found := _descend(tree[name], names[end:])):
                return found
    return []


def flatten(tree, prefix: str = "") -> list[str]:
    """Return every dotted key that leads to a value."""
    if not isinstance(tree, dict):
        return [prefix]
    return [key for name, value in tree.items() for key in flatten(value, f"{prefix}.{name}" if prefix else name)]


def render(value, spec: str = "") -> str:
    """Format a value for prose.

    Floats get three decimals, or two significant digits if they are small. Integers get thousands separators. A
    list of two floats is an interval. Strings are unchanged, and an empty string or None becomes "none". `spec`
    is a Python format specification for a number, or for each number of a list.

    Raises
    ------
    ValueError
        `spec` does not suit the value, the value is NaN or infinite, or it is a dict of several values.
    """
    if isinstance(value, dict):
        raise ValueError(f"this key holds several values: {', '.join(list(value)[:8])}")
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        interval = len(value) == 2 and all(isinstance(bound, float) for bound in value)
        return (" to " if interval else ", ").join(render(item, spec) for item in value)
    if isinstance(value, float) and value - value != 0:
        raise ValueError(f"the value is {value}, which is not a number")
    if spec:
        return format(value, spec)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3f}" if value == 0 or abs(value) >= 0.001 else f"{value:.2g}"
    return str(value)


def table_rows(entries, columns: list[tuple[str, str]], spec: str = "") -> list[list[str]]:
    """Return one row of text per entry: its name, then its value for each (key, format) of `columns`.

    A missing value is shown as a dash, for example infection in a class where no case has it.

    Raises
    ------
    ValueError
        `entries` is a single value, or no entry has a value for one of the columns.
    """
    if not isinstance(entries, dict):
        raise ValueError(f"a table needs a key that holds several values, this is one: {entries!r}")
    if not columns:
        return [[name, render(value, spec)] for name, value in entries.items()]
    for key, _ in columns:
        if not any(_descend(entry, key.split(".")) for entry in entries.values()):
            near = difflib.get_close_matches(key, flatten(next(iter(entries.values()), {})), n=3, cutoff=0.5)
            raise ValueError(f"no entry has a value '{key}'" + (f"; similar: {', '.join(near)}" if near else ""))
    return [
        [name, *(render(*found, form) if (found := _descend(entry, key.split("."))) else "–" for key, form in columns)]
        for name, entry in entries.items()
    ]


def named(entries, words: str):
    """Return entries under other names and in another order, given as ``key: name; …``; without words as they are.

    Raises
    ------
    ValueError
        The words name not exactly the entries.
    """
    names = dict([part.strip() for part in pair.split(":", 1)] for pair in words.split(";") if pair.strip())
    if not names:
        return entries
    if set(names) != set(entries):
        raise ValueError(f"the rows are {', '.join(names)}, the entries {', '.join(entries)}")
    return {name: entries[key] for key, name in names.items()}


@lru_cache(maxsize=8)
def _read(path: Path, modified: int):
    return json.loads(path.read_text(encoding="utf-8"))


def _get(asker: SphinxRole | SphinxDirective, source: str, key: str):
    """Return the value at a key of a file in the source folder, and make the page depend on the file.

    Raises
    ------
    ValueError
        The file or the key is missing, or the file is not JSON. The message is one line.
    """
    path = Path(asker.env.srcdir, source)
    asker.env.note_dependency(str(path))
    try:
        tree = _read(path, path.stat().st_mtime_ns)
        return lookup(tree, key) if key else tree
    except FileNotFoundError as error:
        raise ValueError(f"{source} does not exist (asked for '{key}')") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{source} is not JSON: {error}") from error
    except KeyError as error:
        raise ValueError(f"{source}: {error.args[0]}") from error


def _warn(asker: SphinxRole | SphinxDirective, error: Exception) -> None:
    logger.warning("result: %s", error, location=asker.get_location(), type="result", subtype="unknown")


class Result(SphinxRole):
    """Insert one number of a run into the text."""

    def run(self):
        """Return the number as an inline node, or the key itself if the number is not available."""
        source, key, spec = parse(self.text)
        try:
            value = _get(self, source, key)
            text = render(value, "" if spec == "code" else spec)
        except ValueError as error:
            _warn(self, error)
            return [nodes.literal(self.rawtext, self.text)], []
        content = nodes.literal("", text) if spec == "code" else nodes.Text(text)
        made_with, commit = origin(_get(self, source, ""))
        where = f"{source.removeprefix('book/published/')}: {key} = {json.dumps(value)}"
        known = f"{where}; {made_with}; source version {commit}"
        node = nodes.abbreviation(self.rawtext, "", content, explanation=known, classes=["result"])
        node["source_file"] = source
        return [node], []


def origin(tree: dict) -> tuple[str, str]:
    """Return the command that made a file of results, and the short name of its source version."""
    head = tree.get("experiment") or tree.get("provenance") or tree
    command = head.get("command") or f"cxrseg run {tree.get('run', '')}".strip()
    return command, head.get("commit", "unknown")[:7]


def foot(heads: list[dict]) -> tuple[str, str]:
    """Return the command that makes the published numbers of a page, and in words how long it takes and what made them.

    Runs that several files rest on count once.
    """
    names = " ".join(sorted(head["name"] for head in heads))
    data = " --data FOLDER" if any(head["data"] for head in heads) else ""
    runs = {name: seconds for head in heads for name, seconds in head["runs"].items()}
    minutes = max(1, round((sum(runs.values()) + sum(head["seconds"] for head in heads)) / 60))
    commits = ", ".join(sorted({head["commit"][:7] for head in heads}))
    time = f"{minutes:,} minute{'s' if minutes > 1 else ''}{' with all folds added up' if runs else ''}"
    return f"cxrseg publish {names}{data}", f"{time}, source version {commits}"


def add_foot(app: Sphinx, doctree: nodes.document) -> None:
    """Add to a page what makes its published numbers."""
    found = {
        node["source_file"] for node in doctree.findall() if isinstance(node, nodes.Element) and node.get("source_file")
    }
    trees = [json.loads(Path(app.srcdir, file).read_text(encoding="utf-8")) for file in sorted(found - {EXECUTED})]
    heads = [head for tree in trees if "inputs" in (head := tree.get("experiment", {}))]
    sections = [node for node in doctree.children if isinstance(node, nodes.section)]
    if heads and sections:
        command, words = foot(heads)
        text = (
            nodes.Text("The published numbers on this page were measured by "),
            nodes.literal("", command),
            nodes.Text(f" ({words})."),
        )
        sections[-1] += nodes.paragraph("", "", *text, classes=["made-with"])


class ResultTable(SphinxDirective):
    """Insert a table into the text, with one row per entry of a key with several values."""

    required_arguments = 1
    option_spec: ClassVar = {
        "headers": directives.unchanged_required,
        "columns": directives.unchanged,
        "rows": directives.unchanged,  # what stands for the names of the entries, as `key: words; …`, in this order
    }

    def run(self):
        """Return the table, or nothing if a value is not available."""
        source, key, spec = parse(self.arguments[0])
        headers = [name.strip() for name in self.options["headers"].split(",")]
        columns = [parse(column)[1:] for column in self.options.get("columns", "").split(",") if column.strip()]
        try:
            rows = table_rows(named(_get(self, source, key), self.options.get("rows", "")), columns, spec)
            if any(len(row) != len(headers) for row in rows):
                raise ValueError(f"{len(headers)} headers for {len(columns) + 1} columns of '{key}'")
        except ValueError as error:
            _warn(self, error)
            return []
        table = _table(headers, rows)
        table["source_file"] = source
        return [table]


def _table(headers: list[str], rows: list[list[str]]) -> nodes.table:
    def line(cells: list[str]) -> nodes.row:
        return nodes.row(
            "",
            *(
                nodes.entry("", nodes.paragraph("", cell), classes=["text-right"] * bool(place))
                for place, cell in enumerate(cells)
            ),
        )

    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in headers), cols=len(headers))
    group += nodes.thead("", line(headers))
    group += nodes.tbody("", *map(line, rows))
    return nodes.table("", group, classes=["colwidths-auto"])


def setup(app: Sphinx) -> dict:
    """Register the role and the directive."""
    app.add_role("result", Result())
    app.add_directive("result-table", ResultTable)
    app.connect("doctree-read", add_foot)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
