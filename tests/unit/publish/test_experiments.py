"""Experiments say which runs and which archives a published file rests on."""

import re

import pytest
from support import ROOT

from cxrseg.publish import experiments

DATA = ("covid-qu-ex-1500.zip", "covid-qu-ex-confirm.zip", "jsrt-246.zip")


@pytest.fixture
def data(tmp_path):
    for name in DATA:
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def written(tmp_path, monkeypatch, data):
    """Write one experiment into a folder of its own and read it."""
    folder = tmp_path / "experiments"
    folder.mkdir()
    (folder / "sets.yml").write_text((experiments.folder() / "sets.yml").read_text())
    monkeypatch.setattr(experiments, "folder", lambda: folder)

    def once(text):
        (folder / "one.yml").write_text(text)
        return experiments.read("one", data)

    return once


@pytest.mark.parametrize("name", experiments.names())
def test_every_experiment_can_be_read(name, data):
    one = experiments.read(name, data)
    assert one.script.is_file()
    assert all(label in one.runs for label in (one.reference, *(run.also for run in one.runs.values())) if label)
    for run, study in experiments.studies([one]).items():
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._=-]*", run)
        assert study.train.init in ("", "default", *(start.run for start in one.starts))


def test_experiments_share_their_runs(data):
    every = [experiments.read(name, data) for name in experiments.names()]
    names = [run.run for one in every for run in one.every_run()]
    studies = experiments.studies(every)
    assert set(studies) == set(names) and names.count("best") > 2
    # One precision for all that is compared.
    assert {studies[name].train.precision for name in names if name.startswith(("best", "quex"))} == {"float32"}


def test_a_run_is_named_after_what_it_changes():
    changed = experiments.Variant(study="best", set=["train.init=", "data.structures=[lungs,infection]"])
    assert changed.run == "best-train.init=-data.structures=-lungs-infection"
    assert experiments.Variant(study="best").run == "best"
    assert experiments.Variant(study="best", data="confirmation").run == "best-confirmation"
    assert experiments.Variant(study="best", set=["train.seed=1"], name="other").run == "other"


def test_the_archives_follow_from_the_runs(written, data):
    one = written("title: t\nmeasure: experiments/summary\nruns: {a: {study: best}, b: {study: demo}}\nsets: [jsrt]\n")
    assert one.sets == {"jsrt": data / "jsrt-246.zip", "development": data / "covid-qu-ex-1500.zip"}
    studies = experiments.studies([one])
    assert studies["best"].data.path == str((data / "covid-qu-ex-1500.zip").resolve())
    assert studies["demo"].data.path == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: t\nmeasure: m\nmeasures: 1\n", r"one\.yml: measures: Extra inputs"),
        ("title: t\n", r"one\.yml: measure: Field required"),
        ("title: t\nmeasure: m\nruns: {a: {study: best, sets: []}}\n", r"one\.yml: runs\.a\.sets: Extra"),
        ("title: t\nmeasure: m\nsets: [nowhere]\n", r"no set 'nowhere'"),
    ],
)
def test_a_mistake_is_one_line(written, text, message):
    with pytest.raises(ValueError, match=message):
        written(text)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"'best' needs .*covid-qu-ex-1500\.zip: give their folder as --data"):
        experiments.read("best", tmp_path)
    with pytest.raises(ValueError, match=r"no experiment 'bets'; there are: .*best"):
        experiments.read("bets", tmp_path)


def test_two_runs_of_one_name_are_refused(written):
    one = written(
        "title: t\nmeasure: m\nruns: {a: {study: demo}, b: {study: demo, name: demo, set: [train.epochs=3]}}\n"
    )
    with pytest.raises(ValueError, match="have a run 'demo', with other parameters"):
        experiments.studies([one])


def test_every_published_file_has_an_experiment():
    published = {file.stem for file in (ROOT / "book" / "published").glob("*.json")}
    assert published <= set(experiments.names())
