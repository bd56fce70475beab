"""Publishing asks for a clean tree, comparing does not."""

import json

import pytest

from cxrseg import paths, provenance, runs, workflow
from cxrseg.publish import command, experiments, results
from cxrseg.studies import read_study, write_study


@pytest.fixture
def one(tmp_path, monkeypatch):
    """An experiment without runs, whose result is made already."""
    found = experiments.Experiment(name="one", title="t", measure="experiments/summary", tolerance=0.1)
    monkeypatch.setattr(experiments, "read", lambda name, data: found)
    monkeypatch.setattr(results, "current", lambda experiment, clean: True)
    for name in ("runs", "published"):
        monkeypatch.setattr(paths, name, lambda name=name: tmp_path / name)
    for file, value in ((results.made("one"), 0.5), (tmp_path / "published" / "one.json", 0.45)):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"n": value}))
    return tmp_path


def test_changed_files_are_not_published(one, monkeypatch):
    monkeypatch.setattr(provenance, "commit", lambda: {"dirty": True})
    with pytest.raises(RuntimeError, match="commit them, and publish again"):
        command.publish(["one"], one, check=False)
    assert json.loads((one / "published" / "one.json").read_text())["n"] == 0.45


def test_a_check_accepts_what_is_within_the_tolerance(one, monkeypatch, capsys):
    monkeypatch.setattr(provenance, "commit", lambda: {"dirty": True})
    command.publish(["one"], one, check=True)
    assert "as published: one" in capsys.readouterr().out
    results.made("one").write_text(json.dumps({"n": 0.6}))
    with pytest.raises(RuntimeError, match=r"one: n: published 0.45, now 0.6 \(tolerance 0.1\)"):
        command.publish(["one"], one, check=True)


def test_a_result_is_published_from_a_clean_tree(one, monkeypatch):
    monkeypatch.setattr(provenance, "commit", lambda: {"dirty": False})
    command.publish(["one"], one, check=False)
    assert json.loads((one / "published" / "one.json").read_text())["n"] == 0.5


def test_what_is_not_published_cannot_be_compared(one):
    (one / "published" / "one.json").unlink()
    with pytest.raises(ValueError, match="one is not published: there is nothing to compare with"):
        command.publish(["one"], one, check=True)


def test_of_many_numbers_that_moved_the_first_are_shown(one, monkeypatch):
    monkeypatch.setattr(results, "moved", lambda name, tolerance: [f"line {k}" for k in range(100)])
    with pytest.raises(RuntimeError, match=r"line 29\nerror: … and 70 more$"):
        command.publish(["one"], one, check=True)


def test_runs_take_an_archive_from_another_place_while_it_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "runs", lambda: tmp_path / "runs")
    (tmp_path / "runs" / "best").mkdir(parents=True)
    (tmp_path / "runs" / "best" / "summary.json").write_text("{}")
    (tmp_path / "old.zip").write_text("radiographs")
    (tmp_path / "new.zip").write_text("radiographs")
    old, new = (read_study(paths.study_file("best"), [f"data.path={tmp_path}/{name}.zip"]) for name in ("old", "new"))
    write_study(old, tmp_path / "runs" / "best" / "study.yml")
    runs.start({"best": new, "another": new})
    assert {runs.study(name).data.path for name in ("best", "another")} == {str(tmp_path / "new.zip")}
    (tmp_path / "old.zip").write_text("others")
    with pytest.raises(ValueError, match="exists with other parameters"):
        runs.start({"best": old})


def test_a_run_is_trained_again_where_the_run_that_it_starts_from_is(monkeypatch):
    studies = {
        name: read_study(paths.study_file("demo"), [f"train.init={start}", "run_folds=2"])
        for name, start in (("first", ""), ("second", "first"), ("third", "second"), ("other", "default"))
    }
    stale = {"first": ["first/notebooks/01-data.ipynb"], "third": ["third/notebooks/04-compare.ipynb"]}
    monkeypatch.setattr(runs, "study", studies.get)
    monkeypatch.setattr(workflow, "outdated", lambda name: stale.get(name, []))
    assert workflow.outdated_of(studies) == [
        "first/notebooks/01-data.ipynb",
        "second/notebooks/02-train-fold0.ipynb",
        "second/notebooks/02-train-fold1.ipynb",
        "third/notebooks/02-train-fold0.ipynb",
        "third/notebooks/02-train-fold1.ipynb",
        "third/notebooks/04-compare.ipynb",
    ]
    stale["first"] = ["first/notebooks/03-evaluate.ipynb"]
    assert workflow.outdated_of(["second", "first"]) == ["first/notebooks/03-evaluate.ipynb"]
