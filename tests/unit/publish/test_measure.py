"""A measurement is a module beside its experiment."""

import json
import shutil

import pytest

from cxrseg import paths
from cxrseg.publish import experiments, results, tables
from cxrseg.publish.measure import measure


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    folder = tmp_path / "experiments"
    folder.mkdir()
    shutil.copy(experiments.folder() / "sets.yml", folder)
    (folder / "one.yml").write_text("title: t\nmeasure: experiments/way\noptions: {times: 3}\n")
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    return folder


def test_the_module_returns_content_and_cases(checkout):
    (checkout / "way.py").write_text(
        "import pandas as pd\n"
        "def measure(experiment):\n"
        "    return {'twice': 2 * experiment.options['times']}, pd.DataFrame({'case_id': ['a']})\n"
    )
    measure("one", checkout)
    assert json.loads(results.made("one").read_text())["twice"] == 6
    assert results.made("one").with_suffix(".csv").read_text() == "case_id\na\n"


def test_a_failure_leaves_nothing(checkout):
    (checkout / "way.py").write_text("def measure(experiment): return {'none': float('nan')}\n")
    with pytest.raises(ValueError):
        measure("one", checkout)
    assert not list(results.made("one").parent.glob("*"))


def test_code_that_changes_meanwhile_spoils_the_result(checkout):
    (checkout / "way.py").write_text(
        "from pathlib import Path\n"
        "def measure(experiment):\n"
        "    Path(__file__).write_text('def measure(experiment): return {}')\n"
        "    return {'n': 1}\n"
    )
    with pytest.raises(RuntimeError, match="changed while one was measured"):
        measure("one", checkout)
    assert not list(results.made("one").parent.glob("*"))


def test_what_is_not_installed_is_named(checkout):
    (checkout / "one.yml").write_text("title: t\nmeasure: experiments/way\nneeds: [no-such-program|no_such_package]\n")
    with pytest.raises(ValueError, match="'one' needs no-such-program or no_such_package: install it"):
        measure("one", checkout)


def test_runs_of_other_arithmetic_are_not_measured_together(checkout, monkeypatch):
    (checkout / "way.py").write_text("def measure(experiment): return {'n': 1}\n")
    (checkout / "one.yml").write_text(
        "title: t\nmeasure: experiments/way\nruns: {a: {study: demo, name: a}, b: {study: demo, name: b}}\n"
    )
    (checkout.parent / "studies").mkdir()
    (checkout.parent / "studies" / "demo.yml").write_text("title: t\n")
    monkeypatch.setattr(results, "head", lambda experiment: {"name": "one", "inputs": ""})
    monkeypatch.setattr(tables, "arithmetic", lambda run: f"float32 by {run}")
    with pytest.raises(ValueError, match="the runs of one were computed in float32 by a and float32 by b"):
        measure("one", checkout)
