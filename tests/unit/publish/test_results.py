"""Results are published whole, made again when what they rest on changes, and compared number by number."""

import json

import pandas as pd
import pytest

from cxrseg import paths
from cxrseg.publish import results
from cxrseg.publish.experiments import Experiment


@pytest.fixture
def places(tmp_path, monkeypatch):
    for name in ("runs", "published"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(paths, name, lambda name=name: tmp_path / name)
    (tmp_path / "experiments").mkdir()
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def experiment(places):
    (places / "experiments" / "one.yml").write_text("title: t\n")
    (places / "experiments" / "way.py").write_text("way = 1\n")
    (places / "set.zip").write_text("radiographs")
    return Experiment(name="one", title="t", measure="experiments/way", sets={"development": places / "set.zip"})


def test_a_result_is_current_until_something_it_rests_on_changes(places, experiment):
    assert not results.current(experiment, clean=False)
    results.write(results.head(experiment) | {"seconds": 2}, {"n": 1}, None)
    assert results.current(experiment, clean=False)
    for name, text in (("experiments/one.yml", "title: u\n"), ("experiments/way.py", "way = 2\n"), ("set.zip", "more")):
        before = (places / name).read_text()
        (places / name).write_text(text)
        assert not results.current(experiment, clean=False), name
        (places / name).write_text(before)
        assert results.current(experiment, clean=False), name


def test_a_result_has_a_head_and_its_cases_beside_it(places, experiment):
    cases = pd.DataFrame({"case_id": ["007"], "dice": [0.5]})
    results.write(results.head(experiment) | {"seconds": 61}, {"n": 1}, cases)
    results.publish("one")
    content = json.loads((places / "published" / "one.json").read_text())
    head = content["experiment"]
    assert content["n"] == 1 and head["name"] == "one" and head["seconds"] == 61
    assert head["command"] == "cxrseg publish one --data FOLDER"
    # echo -n radiographs | sha256sum
    digest = "89f41532e99d2c564db1becb2dbee23c7e23749c91cd7d61efb69558a53d7f11"
    assert head["data"] == {"development": digest}
    assert {"commit", "dirty", "versions", "hardware", "created", "default_model"} <= set(head)
    assert (places / "published" / "one.csv").read_text() == "case_id,dice\n007,0.5\n"


def test_numbers_that_moved_are_named(places):
    def put(folder, **content):
        folder.mkdir(exist_ok=True)
        (folder / "one.json").write_text(json.dumps(content))

    published = {"experiment": {"commit": "a"}, "rows": {"best": {"mean": 0.96, "n": 5}}, "gone": 1, "label": "x"}
    put(places / "published", **published, seconds_per_image=1)
    made = {"experiment": {"commit": "b"}, "rows": {"best": {"mean": 0.9604, "n": 5}}, "label": "x"}
    put(results.made("one").parent, **made, gone=1, seconds_per_image=3)
    assert results.moved("one", 0.001) == []
    assert results.moved("one", 0.0001) == ["one: rows.best.mean: published 0.96, now 0.9604 (tolerance 0.0001)"]
    put(results.made("one").parent, **made | {"label": "y"}, new=[1, 2])
    assert results.moved("one", 0.001) == [
        "one: label: published x, now y",
        "one: new.0: not published",
        "one: new.1: not published",
        "one: gone: no longer measured",
    ]


def test_counts_move_by_nothing(places):
    for folder, content in ((places / "published", {"n": 1500, "seed": 2023}), (places / "made", {})):
        folder.mkdir(exist_ok=True)
        (folder / "one.json").write_text(json.dumps(content))
    results.made("one").parent.mkdir(exist_ok=True)
    results.made("one").write_text(json.dumps({"n": 1499, "seed": 2024}))
    assert [line.split(": ")[1] for line in results.moved("one", 0.1)] == ["n", "seed"]


def test_tables_of_cases_are_compared(places):
    tables = {"published": pd.DataFrame({"case_id": ["a", "b"], "dice": [0.9, 0.8]})}
    for name, made, line in (
        ("same", tables["published"].assign(dice=[0.9, 0.8001]), []),
        ("dice", tables["published"].assign(dice=[0.9, 0.7]), ["one.csv: the mean of dice: published 0.85, now 0.8"]),
        ("case", tables["published"].assign(case_id=["a", "c"]), ["one.csv: other columns or cases than published"]),
        ("none", None, ["one.csv: no longer made"]),
    ):
        for folder, table in ((places / "published", tables["published"]), (results.made("one").parent, made)):
            folder.mkdir(exist_ok=True)
            (folder / "one.json").write_text("{}")
            (folder / "one.csv").unlink(missing_ok=True)
            if table is not None:
                table.to_csv(folder / "one.csv", index=False)
        assert results.moved("one", 0.001) == line, name


def test_times_are_not_compared(places):
    assert results.moved("one", float("inf")) == []


def test_a_result_of_changed_files_is_made_again_before_it_is_published(places, experiment):
    results.write(results.head(experiment) | {"seconds": 2, "dirty": True}, {"n": 1}, None)
    assert results.current(experiment, clean=False)
    assert not results.current(experiment, clean=True)


def test_a_table_of_cases_that_is_no_longer_made_is_removed(places, experiment):
    for cases in (pd.DataFrame({"case_id": ["a"]}), None):
        results.write(results.head(experiment) | {"seconds": 2}, {"n": 1}, cases)
        results.publish("one")
        assert (places / "published" / "one.csv").is_file() == (cases is not None)
