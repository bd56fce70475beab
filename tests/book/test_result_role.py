"""The book's own Sphinx extensions: looked-up numbers and native formulae."""

import importlib.util
import json
import re
import sys
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

EXTENSIONS = Path(__file__).parents[2] / "book" / "_ext"
SUMMARY = {
    "study": "demo",
    "n_cases": 1234,
    "share": 0.0425,
    "rate": 0.0005,
    "whole": 5.0,
    "gpu": None,
    "dirty": False,
    "seed": 2023,
    "dice": {"mean": 0.95678, "ci95": [0.912, 0.93449]},
    "names": ["lungs", "infection"],
    "classes": {
        "COVID": {"n": 2, "dice": {"mean": 0.9}},
        "Non-COVID": {"n": 3, "dice": {"mean": 0.8}, "spread": 0.1},
        "Non-COVID.v2": {"n": 4, "dice": {"mean": 0.7}},
    },
    "versions": {"numpy": "2.4.6", "some.package": "1--2"},
}


def load(name):
    spec = importlib.util.spec_from_file_location(f"book_{name}", EXTENSIONS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


result = load("result")
mathml = load("mathml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dice.mean", ("book/executed/summary.json", "dice.mean", "")),
        ("quex:dice.mean", ("book/published/quex.json", "dice.mean", "")),
        ("quex: dice.mean | .4f", ("book/published/quex.json", "dice.mean", ".4f")),
        ("default:seed", ("cxrseg/models/default.json", "seed", "")),
        ("share|.1%", ("book/executed/summary.json", "share", ".1%")),
        ("seed|:>6", ("book/executed/summary.json", "seed", ":>6")),
    ],
)
def test_role_text_is_split_into_file_key_and_format(text, expected):
    assert result.parse(text) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("classes.Non-COVID.dice.mean", 0.8),
        ("classes.Non-COVID.v2.dice.mean", 0.7),
        ("versions.some.package", "1--2"),
        ("dice.ci95.1", 0.93449),
        ("gpu", None),
    ],
)
def test_keys_may_hold_dots_and_hyphens(key, expected):
    assert result.lookup(SUMMARY, key) == expected


@pytest.mark.parametrize(
    ("key", "near"),
    [("dice.meen", "dice.mean"), ("classes.Non-Covid.dice.mean", "classes.Non-COVID.dice.mean"), ("n_case", "n_cases")],
)
def test_an_unknown_key_names_the_near_ones(key, near):
    with pytest.raises(KeyError, match=f"no value '{re.escape(key)}'.*{re.escape(near)}"):
        result.lookup(SUMMARY, key)


@pytest.mark.parametrize("key", ["dice.ci95.2", "dice.ci95.x", "dice.mean.more", ""])
def test_a_path_that_leads_nowhere_is_an_error(key):
    with pytest.raises(KeyError):
        result.lookup(SUMMARY, key)


@pytest.mark.parametrize(
    ("value", "spec", "expected"),
    [
        (0.95678, "", "0.957"),
        (0.0005, "", "0.0005"),
        (0.0, "", "0.000"),
        (-0.25, "", "-0.250"),
        (1234567, "", "1,234,567"),
        (2023, "d", "2023"),
        (0.0425, ".1%", "4.2%"),
        ([0.912, 0.93449], "", "0.912 to 0.934"),
        ([0.912, 0.93449], ".1%", "91.2% to 93.4%"),
        (["lungs", "infection"], "", "lungs, infection"),
        ([1, 2], "", "1, 2"),
        ("as it is", "", "as it is"),
        (True, "", "yes"),
        (False, "", "no"),
        (None, ".3f", "none"),
        ("", "", "none"),
    ],
)
def test_values_become_prose(value, spec, expected):
    assert result.render(value, spec) == expected


@pytest.mark.parametrize(
    ("value", "spec"), [(float("nan"), ""), (float("inf"), ".3f"), ("text", ".3f"), ({"mean": 1.0}, "")]
)
def test_what_is_no_number_is_refused(value, spec):
    with pytest.raises(ValueError):
        result.render(value, spec)


def test_a_table_has_a_row_per_entry_and_a_dash_where_one_entry_lacks_a_value():
    rows = result.table_rows(SUMMARY["classes"], [("n", ""), ("dice.mean", ".1f"), ("spread", "")])
    assert rows == [["COVID", "2", "0.9", "–"], ["Non-COVID", "3", "0.8", "0.100"], ["Non-COVID.v2", "4", "0.7", "–"]]
    with pytest.raises(ValueError, match=r"dice\.men.*dice\.mean"):
        result.table_rows(SUMMARY["classes"], [("dice.men", "")])
    with pytest.raises(ValueError, match="several values"):
        result.table_rows(0.5, [])


def test_rows_of_a_table_have_other_names_and_another_order():
    entries = {"a": 1, "b": 2, "c": 3}
    assert result.named(entries, "") is entries
    assert list(result.named(entries, "c: the last; a: first: of all; b: B").items()) == [
        ("the last", 3), ("first: of all", 1), ("B", 2)
    ]  # fmt: skip
    with pytest.raises(ValueError, match="the rows are a, d, the entries a, b, c"):
        result.named(entries, "a: 1; d: 4")


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Build one Markdown page; return its HTML and the warnings. A second call builds only what changed."""
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    source = tmp_path / "source"
    (source / "book" / "executed").mkdir(parents=True)
    (source / "book" / "published").mkdir()
    (source / "book" / "executed" / "summary.json").write_text(json.dumps(SUMMARY))
    head = {
        "name": "quex",
        "command": "run --x",
        "commit": "abcdef0123",
        "seconds": 60,
        "runs": {"a": 300, "b": 240},
        "data": {"s": "d"},
        "inputs": "i",
    }
    content = {"dice": {"mean": 0.512345}, "rows": {"a": {"n": 1}}, "experiment": head}
    (source / "book" / "published" / "quex.json").write_text(json.dumps(content))
    other = {"experiment": head | {"name": "cost", "seconds": 90, "runs": {"a": 300}, "data": {}}, "n": 7}
    (source / "book" / "published" / "cost.json").write_text(json.dumps(other))

    def once(text=None):
        if text is not None:
            (source / "index.md").write_text(text)
        warnings = StringIO()
        settings = {
            "extensions": ["myst_parser", "result", "mathml"],
            "myst_enable_extensions": ["dollarmath"],
            "html_math_renderer": "mathml",
            "suppress_warnings": ["epub"],
        }
        with docutils_namespace():
            app = Sphinx(
                str(source),
                None,
                str(tmp_path / "html"),
                str(tmp_path / "trees"),
                "html",
                settings,
                StringIO(),
                warnings,
            )
            app.build()
        return (tmp_path / "html" / "index.html").read_text(), warnings.getvalue()

    once.source = source
    yield once
    for name in ("result", "mathml"):
        sys.modules.pop(name, None)


def test_role_in_a_page_and_in_a_table(build):
    page, warnings = build(
        "# Page\n\nMean {result}`dice.mean`, {result}`dice.ci95`; real {result}`quex:dice.mean|.2f`, "
        "made with {result}`quex:experiment.command|code`.\n\n"
        "| Share | Class |\n|--:|--:|\n| {result}`share\\|.2%` | {result}`classes.Non-COVID.dice.mean` |\n"
    )
    assert warnings == ""
    shown = re.findall(r'<abbr class="result"[^>]*>([^<]*?)</abbr>', page)
    assert shown == ["0.957", "0.912 to 0.934", "0.51", "4.25%", "0.800"]
    assert 'run</span> <span class="pre">--x' in page  # a command keeps its two hyphens


def test_a_number_says_where_it_comes_from(build):
    page, _ = build("# Page\n\nMean {result}`quex:dice.mean|.2f`.\n")
    assert 'title="quex.json: dice.mean = 0.512345; run --x; source version abcdef0"' in page


def test_the_foot_of_a_page_names_the_command_that_makes_its_numbers(build):
    table = "```{result-table} quex:rows\n:headers: Row, n\n:columns: n\n```"
    page, _ = build(f"# Page\n\n## Part\n\n{{result}}`cost:n` and {{result}}`n_cases`.\n\n{table}\n")
    # 60 and 90 seconds, and the runs a and b, which both rest on, once
    said = " ".join(re.sub("<[^>]*>", "", page).split())
    time = "12 minutes with all folds added up"
    assert f"cxrseg publish cost quex --data FOLDER ({time}, source version abcdef0)." in said
    assert said.count("cxrseg publish") == 1
    page, _ = build("# Page\n\nOnly {result}`n_cases` of this run.\n")
    assert "cxrseg publish" not in page


def test_directive_makes_a_table(build):
    page, warnings = build(
        "# Page\n\n```{result-table} classes\n:headers: Class, Cases, Mean\n:columns: n, dice.mean|.2f\n```\n"
        "\n```{result-table} versions\n:headers: Package, Version\n```\n"
    )
    assert warnings == ""
    cells = re.findall(r"<t[hd][^>]*><p>(.*?)</p>", page)
    assert cells[:6] == ["Class", "Cases", "Mean", "COVID", "2", "0.90"]
    assert cells[-4:-2] == ["numpy", "2.4.6"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{result}`dice.meen`", r"no value 'dice\.meen'; similar: dice\.mean"),
        ("{result}`paper:dice.mean`", r"book/published/paper\.json does not exist"),
        ("{result}`study|.3f`", "Unknown format code"),
        ("{result}`dice`", "holds several values: mean, ci95"),
        ("```{result-table} classes\n:headers: Class\n:columns: n\n```", "1 headers for 2 columns"),
        ("```{result-table} study\n:headers: A, B\n```", "this is one"),
    ],
)
def test_what_cannot_be_had_is_a_warning_with_its_line(build, line, message):
    _, warnings = build(f"# Page\n\nText.\n\n{line}\n")
    assert re.search(rf"index\.md:5: WARNING: result: .*{message}", warnings)


def test_a_page_is_built_again_when_its_numbers_change(build):
    import os

    first, _ = build("# Page\n\n{result}`n_cases`\n")
    assert "1,234" in first
    file = build.source / "book" / "executed" / "summary.json"
    file.write_text(json.dumps({**SUMMARY, "n_cases": 77}))
    later = file.stat().st_mtime + 10
    os.utime(file, (later, later))
    second, warnings = build()
    assert warnings == "" and ">77<" in second


def test_formulae_are_mathml_and_numbered_where_labelled(build):
    page, warnings = build(
        "# Page\n\nInline $a < b$.\n\n```{math}\n:label: half\n\\frac{1}{2}\n```\n\nSee {eq}`half`.\n"
    )
    assert warnings == ""
    assert '<span class="eqno">(1)</span>' in page
    assert re.search(r'<div[^>]*id="equation-half"', page)
    formulae = [ElementTree.fromstring(text) for text in re.findall(r"<math.*?</math>", page, re.DOTALL)]
    assert ["".join(formula.itertext()) for formula in formulae] == ["a<b", "12"]
    assert [formula.get("display") for formula in formulae] == ["inline", "block"]
    assert "mathjax@" not in page.lower()


@pytest.mark.parametrize("latex", [r"\nosuchcommand{a}", r"\frac{a}", r"\left( a"])
def test_a_formula_that_would_come_out_wrong_is_a_warning(build, latex):
    with pytest.raises(ValueError, match="in the formula"):
        mathml.to_mathml(latex, "block")
    _, warnings = build(f"# Page\n\nText.\n\n$$\n{latex}\n$$\n")
    assert re.search(r"index\.md:\d+: WARNING: mathml: ", warnings)


def test_the_book_uses_both_extensions():
    config = yaml.safe_load((EXTENSIONS.parents[1] / "_config.yml").read_text())["sphinx"]
    assert config["local_extensions"] == {"result": "book/_ext", "mathml": "book/_ext"}
    assert {"result", "mathml"} <= set(config["config"]["extensions"])
    assert config["config"]["html_math_renderer"] == "mathml"
