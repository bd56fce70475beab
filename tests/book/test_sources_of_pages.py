"""What must hold for the pages of the book before anything is built."""

import ast
import importlib.util
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from support import ROOT, load_script

from cxrseg.paths import STAGES, labs

DRAWN = {
    "phantom": load_script("book/figures/phantom.py").PICTURES,
    **{name: load_script(f"book/figures/{name}.py").CHARTS for name in ("charts", "results")},
}

BOOK = ROOT / "book"
PAGES = sorted(BOOK.glob("*.md"))
TEXTS = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
EVERYTHING = "\n".join(TEXTS.values())
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)

# Decimals that a page may hold: figures of the paper, and answers of paper-and-pencil exercises.
QUOTED = {"0.9658", "0.0005", "0.80", "0.90", "0.8", "0.5", "0.99"}


def toc_files(node):
    if isinstance(node, list):
        return [file for item in node for file in toc_files(item)]
    own = [node[key] for key in ("root", "file") if key in node]
    return own + [file for key in ("parts", "chapters", "sections") if key in node for file in toc_files(node[key])]


TOC = toc_files(yaml.safe_load((ROOT / "_toc.yml").read_text()))


def without_code(text):
    text = re.sub(r"^(`{3,})(?!\{).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<![}`])`[^`\n]+`", "", text)


def test_contents_and_pages_are_the_same_set():
    assert len(TOC) == len(set(TOC))
    assert {file for file in TOC if not file.startswith("book/executed/")} == {f"book/{page.stem}" for page in PAGES}
    executed = [file.removeprefix("book/executed/") for file in TOC if file.startswith("book/executed/")]
    assert executed[:4] == list(STAGES)
    assert sorted(executed[4:]) == [f"labs/{name}" for name in labs()]


@each_page
def test_a_page_has_one_title(page):
    assert len(re.findall(r"^# ", without_code(TEXTS[page.name]), re.MULTILINE)) == 1


@each_page
def test_measured_numbers_are_looked_up_not_typed(page):
    if page.name == "literature.md":  # a sentence may follow the one with its citation
        return
    text = TEXTS[page.name].split("\n## To do without a computer")[0]  # below it, exercises whose numbers are made up
    text = re.sub(r"```\{raw\} html.*?```", "", text, flags=re.DOTALL)  # controls of a page, not its prose
    text = re.sub(r"\{result\}`[^`]*`|\]\([^)]*\)", "", without_code(text))
    text = " ".join(part for part in re.split(r"(?<=[.:])\s", text) if "{cite}" not in part)  # quotes other work
    typed = set(re.findall(r"(?<![\d.,:])\d+\.\d+(?![\d.]*\d)", text)) - QUOTED
    assert typed <= {"3.1", "3.2", "3.3", "3.11", "4.0"}, f"numbers typed by hand in {page.name}"


@each_page
def test_published_numbers_are_there_and_tables_fit_their_headers(page):
    """Otherwise only a whole build would say so; numbers of the run are not there yet."""
    spec = importlib.util.spec_from_file_location("result", BOOK / "_ext" / "result.py")
    result = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(result)

    def found(text):
        source, key, form = result.parse(text.replace("\\|", "|"))
        return result.lookup(json.loads((ROOT / source).read_text()), key), form

    text = TEXTS[page.name]
    for role in re.findall(r"\{result\}`([^`:]+:[^`]+)`", text):
        value, form = found(role)
        result.render(value, "" if form == "code" else form)
    tables = re.findall(r"```\{result-table\} (\S+:\S+)\n:headers: (.+)\n(?::columns: (.+)\n)?", text)
    for entries, headers, columns in tables:
        value, form = found(entries)
        columns = [result.parse(column)[1:] for column in columns.split(",") if column.strip()]
        for row in result.table_rows(value, columns, form):
            assert len(row) == len(headers.split(","))


def test_numbers_of_other_work_are_cited():
    for paragraph in re.split(r"\n\n|\n- ", TEXTS["literature.md"]):
        if re.search(r"\d\.\d%|\d{2,},\d{3}|million", paragraph):
            assert "{cite" in paragraph, paragraph


def test_every_work_cited_is_listed_and_every_work_listed_is_cited():
    bibliography = (BOOK / "references.bib").read_text(encoding="utf-8")
    listed = re.findall(r"^@\w+\{([^,]+),", bibliography, re.MULTILINE)
    cited = {key.strip() for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", EVERYTHING) for key in keys.split(",")}
    assert len(listed) == len(set(listed))
    assert set(listed) == cited
    dois = re.findall(r"doi = \{(.*?)\}", bibliography)
    assert len(dois) == len(set(dois)) and all(re.fullmatch(r"10\.\d{4,5}/\S+", doi) for doi in dois)


@each_page
def test_a_page_shows_nothing_from_elsewhere(page):
    text = TEXTS[page.name]
    assert not re.search(r"!\[[^\]]*\]\(\s*\w+://|(?:src|href)=[\"'](?:https?:)?//", text)
    for block in re.findall(r"```\{figure\}.*?```", text, re.DOTALL):
        target = re.search(r"\{figure\} (\S+)", block).group(1)
        # What `make book` draws is held to the list of what it draws.
        drawn = [f"executed/{script}/{name}.png" for script, names in DRAWN.items() for name in names]
        assert target in drawn or (BOOK / target).is_file()
        assert len(re.search(r"^:alt: (.+)$", block, re.MULTILINE).group(1)) > 30


@pytest.mark.parametrize(
    "drawing", [BOOK / "_static" / f"{name}.svg" for name in ("flow", "rooms", "unet")], ids=lambda path: path.stem
)
def test_drawings_stand_alone_and_say_what_they_show(drawing):
    tree = ElementTree.parse(drawing).getroot()
    tags = [element.tag.rpartition("}")[2] for element in tree.iter()]
    assert tree.get("role") == "img" and tree.get("aria-labelledby") == "title desc"
    assert tags.count("title") == tags.count("desc") == 1
    assert not {"image", "script", "foreignObject", "use"} & set(tags)
    assert not re.search(r"@import|url\((?!#)", drawing.read_text(encoding="utf-8"))


def test_the_layer_table_adds_up():
    """Each row's parameters follow from its kind and the channels before and after it."""
    rows = re.findall(r"^\| ([^|*]+?) \| (\d+) × \d+ × (\d+) \| ([\d,]+) \|$", TEXTS["architecture.md"], re.MULTILINE)
    channels, side, total = 0, 256, 0
    for layer, size, width, count in rows:
        size, width, count = int(size), int(width), int(count.replace(",", ""))
        expected = {
            "3 × 3": 9 * channels * width + width,
            "2 × 2 transposed": 4 * channels * width + width,
            "1 × 1": channels * width + width,
        }.get(next((kind for kind in ("3 × 3", "2 × 2 transposed", "1 × 1") if layer.startswith(kind)), ""), 0)
        side = side // 2 if "pooling" in layer else side * 2 if "transposed" in layer else side
        assert (size, count) == (side, expected), layer
        if "Concatenation" in layer:
            assert width == 2 * channels
        channels, total = width, total + count
    assert len(rows) == 1 + 5 * 2 + 4 + 4 * 4 + 1
    assert total == 7_759_521
    assert f"**{total:,}**" in TEXTS["architecture.md"]


def test_the_drawing_of_the_network_agrees_with_the_table():
    """Its counts and the last layer's are all of the parameters; blocks halve and double."""
    tree = ElementTree.parse(BOOK / "_static" / "unet.svg").getroot()
    words = [element.text for element in tree.iter() if element.tag.endswith("text")]
    counts = [int(word.replace(",", "")) for word in words if re.fullmatch(r"[\d,]+", word)]
    assert len(counts) == 9 and sum(counts) + 33 == 7_759_521
    sizes = [float(element.get("height")) for element in tree.iter() if element.tag.endswith("rect")][1:]
    assert sizes == pytest.approx([192, 96, 48, 24, 12, 24, 48, 96, 192])


def test_named_commands_exist():
    makefile, cli = ROOT / "Makefile", ROOT / "cxrseg" / "cli.py"
    blocks = "\n".join(re.findall(r"^```sh$(.*?)^```$", EVERYTHING, re.MULTILINE | re.DOTALL))
    inline = "\n".join(re.findall(r"`((?:make|cxrseg) [^`\n]+)`", EVERYTHING))
    targets = set(re.findall(r"^make ([a-z]+)", f"{blocks}\n{inline}", re.MULTILINE))
    commands = set(re.findall(r"^cxrseg ([a-z]+)", f"{blocks}\n{inline}", re.MULTILINE))
    assert {"book", "test"} <= targets and {"run", "evaluate", "fetch"} <= commands
    if makefile.is_file():
        assert targets <= set(re.findall(r"^([a-z]+):", makefile.read_text(), re.MULTILINE))
    functions = [node for node in ast.parse(cli.read_text()).body if isinstance(node, ast.FunctionDef)]
    assert commands <= {function.name for function in functions if function.decorator_list}


def test_python_in_the_pages_imports_what_there_is():
    for block in re.findall(r"^```python$(.*?)^```$", EVERYTHING, re.MULTILINE | re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("cxrseg"):
                source = Path(importlib.util.find_spec(node.module).origin).read_text(encoding="utf-8")
                defined = {item.name for item in ast.parse(source).body if hasattr(item, "name")}
                assert {alias.name for alias in node.names} <= defined, node.module


def test_settings_keep_the_book_offline_and_strict():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert config["execute"]["execute_notebooks"] == "off"
    assert config["only_build_toc_files"] is True
    assert {".venv", ".pytest_cache", ".snakemake", "_build", "notebooks", "runs"} <= set(config["exclude_patterns"])
    assert config["launch_buttons"]["thebe"] is False
    assert "sphinx_thebe" not in config["sphinx"]["config"]["extensions"]
    assert not any(config["html"][key] for key in config["html"] if key.endswith("_button"))


@pytest.mark.parametrize("name", ["tests", "publish"])
def test_workflows_run_the_make_targets(name):
    workflow = yaml.load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(), Loader=yaml.BaseLoader)
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    wanted = {"tests": "make test", "publish": "make book"}[name]
    assert wanted in [step.get("run") for step in steps]
    assert workflow["permissions"] == {"contents": "read"}
    assert all(re.search(r"@[0-9a-f]{40}$", step["uses"]) for step in steps if "uses" in step)
    assert all("timeout-minutes" in job for key, job in workflow["jobs"].items() if key != "deploy")


def test_citation_file_is_in_step_with_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    version = re.search(r"^## ([0-9.]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]  # the last release
    assert citation["cff-version"] == "1.2.0" and citation["version"] == version and citation["license"] == "MIT"
    assert {"message", "title", "authors"} <= set(citation)
    assert "The cxrseg authors" in (ROOT / "LICENSE").read_text().splitlines()[2]
    assert "creativecommons.org/licenses/by/4.0" in TEXTS["LICENSE.md"]


def test_no_page_is_left_unfinished():
    files = [*PAGES, *BOOK.glob("_*/*.*"), ROOT / "CONTRIBUTING.md", ROOT / "CITATION.cff"]
    for file in files:
        assert not re.search(r"\b(?:TO" r"DO|FIX" r"ME|TBD|lorem)\b", file.read_text(encoding="utf-8")), file.name
