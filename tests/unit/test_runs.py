"""What is known of a run, and who may write it."""

import json
from contextlib import nullcontext

import pytest

from cxrseg import models, paths, runs
from cxrseg.config import DataConfig, EvaluateConfig, Study
from cxrseg.evaluate import compare


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "runs", lambda: tmp_path)
    return tmp_path


def test_a_run_is_shown_as_it_was_made(capsys):
    wanted = Study(name="demo")
    assert runs.as_made("demo", wanted) is wanted
    made = wanted.model_copy(update={"evaluate": EvaluateConfig(threshold=0.3)})
    runs.start({"demo": made})
    assert capsys.readouterr().out == ""
    assert runs.as_made("demo", wanted) == made
    assert "evaluate.threshold 0.5 -> 0.3" in capsys.readouterr().out
    assert runs.as_made("demo", made) == made
    assert capsys.readouterr().out == ""


def test_one_report_is_made_at_a_time():
    with (
        runs.locked(runs.REPORT),
        pytest.raises(RuntimeError, match="another process is at work on the report"),
        runs.locked(runs.REPORT),
    ):
        pass
    with runs.locked(runs.REPORT):
        pass


def test_a_comparison_is_known_by_the_notebook_that_shows_it(folder):
    assert runs.shown_with("first") == []
    (folder / "first" / "notebooks").mkdir(parents=True)
    content = {"metadata": {"compared": {"first": "1", "second": "2"}}}
    (folder / "first" / "notebooks" / "04-compare.ipynb").write_text(json.dumps(content))
    assert runs.shown_with("first") == ["second"]


def test_new_scores_remove_an_exported_network_of_before(folder, capsys):
    (folder / "own" / "data").mkdir(parents=True)
    parameters = {"path": "", "seed": 1}
    dataset = {"parameters": parameters, "fingerprint": "f", "refused": [], "duplicates": [], "seconds": 1}
    (folder / "own" / "data" / "dataset.json").write_text(json.dumps(dataset))
    (folder / "own" / "fold-0").mkdir()
    record = {"config": {"seed": 2}, "precision": "float32", "backend": "tensorflow", "seconds": 3}
    (folder / "own" / "fold-0" / "train.json").write_text(json.dumps(record))
    for exported in (False, True):
        if exported:
            models.graph_file("own").touch()
            models.card_file("own").touch()
        runs.write_summary("own", EvaluateConfig(), [folder / "own" / "fold-0"], {})
        assert ("cxrseg export own" in capsys.readouterr().out) == exported
        assert not models.graph_file("own").exists() and not models.card_file("own").exists()


def test_an_attempt_that_made_nothing_does_not_keep_its_name(folder):
    runs.start({"new": Study(name="demo")})
    other = Study(name="demo", data=DataConfig(seed=7))
    runs.start({"new": other})
    assert runs.study("new") == other
    (paths.run("new") / "notebooks").mkdir()
    for name, holds in (("notebooks/01-data.failed.ipynb", False), ("summary.json", True)):
        (paths.run("new") / name).write_text("{}")
        with pytest.raises(ValueError, match="exists with other parameters") if holds else nullcontext():
            runs.start({"new": Study(name="demo", data=DataConfig(seed=8 + holds))})


@pytest.mark.parametrize(
    ("file", "read"),
    [
        ("study.yml", runs.study),
        ("summary.json", runs.summary),
        ("model.json", lambda name: models.card(name)),
        ("fold-0/model.keras", lambda name: models.load(models.weights_file(name))),
        ("cases.csv", lambda name: compare.table(paths.run(name) / "cases.csv", {})),
    ],
)
def test_a_damaged_file_is_named(folder, file, read):
    runs.start({"torn": Study(name="demo")})
    (paths.run("torn") / "fold-0").mkdir()
    for name in ("model.onnx", file):
        (paths.run("torn") / name).write_text("")
    with pytest.raises(ValueError, match=file):
        read("torn")


def test_a_checkout_in_a_folder_with_braces_is_refused_before_anything_is_written(folder, monkeypatch):
    monkeypatch.setattr(paths, "root", lambda: folder / "{x}")
    with pytest.raises(ValueError, match="braces"):
        runs.start({"new": Study(name="demo")})
    assert not list(folder.iterdir())
