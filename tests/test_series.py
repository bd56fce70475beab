"""What the benchmarks hold a run against: another run, or what was published of it."""

import json
import sys

import pandas as pd
import pytest
from conftest import ROOT

from cxrseg import paths, runs

sys.path.insert(0, str(ROOT / "benchmarks"))
import ablation
import publish
import series


def scored(folder, dice):
    """Write what a scored run leaves behind, of which the series read a part."""
    rows = pd.DataFrame({"case_id": ["007", "8"], "label": ["COVID", "NA"], "structure": "lungs", "dice": dice})
    rows = rows.assign(hd95_px=[2.0, 4.0], nsd_2px=[0.5, 0.75], truth_pixels=100, predicted_pixels=[90, 110])
    provenance = {"training": [{"seconds": 2}, {"seconds": 4}], "commit": "c", "precision": "float32", "dirty": False}
    summary = {
        "n_parameters": 5,
        "parameters": {"data": {"source": "covid_qu_ex"}},
        "provenance": provenance | {"dataset_fingerprint": "same"},
    }
    folder.mkdir(parents=True)
    rows.to_csv(folder / "cases.csv", index=False)
    (folder / "summary.json").write_text(json.dumps(summary))


@pytest.fixture
def places(tmp_path, monkeypatch):
    for name in ("runs", "published"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(paths, name, lambda name=name: tmp_path / name)
    return tmp_path


def test_a_published_run_stands_in_for_one_that_is_not_here(places):
    scored(places / "runs" / "best", [0.5, 0.75])
    here = series.entry("best")
    publish.publish("best", "cxrseg run best")
    assert not series.published("best"), "the run itself comes first"
    (places / "runs" / "best").rename(places / "elsewhere")
    assert series.published("best")
    assert series.entry("best") == here
    assert here["mean"] == 0.625 and here["seconds_per_fold"] == 3

    scored(places / "runs" / "other", [0.75, 1.0])
    assert series.entry("other", "best")["difference"]["dice"]["mean_difference"] == 0.25
    assert list(ablation.plan(["no augmentation"])) == ["best-no-augmentation"]
    assert list(ablation.plan(["the mask as it comes"])) == ["best"], "its networks are needed"


def test_parts_of_a_series_are_kept_while_best_is_the_same(places, capsys):
    assert series.before("ablation", {"mean": 0.9}, "rows", "best") == {}
    content = {"rows": {"best": {"mean": 0.9}, "no augmentation": {"mean": 0.8}}}
    (places / "published" / "ablation.json").write_text(json.dumps(content))
    assert series.before("ablation", {"mean": 0.9 + 1e-7}, "rows", "best") == content
    assert series.before("ablation", {"mean": 0.91}, "rows", "best") == {}
    assert "another best" in capsys.readouterr().out


def test_own_images_are_not_published(places):
    scored(places / "runs" / "mine", [0.5, 0.75])
    summary = json.loads((places / "runs" / "mine" / "summary.json").read_text())
    summary["parameters"]["data"]["source"] = "folder"
    (places / "runs" / "mine" / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(SystemExit, match="own images"):
        publish.publish("mine", "cxrseg run mine")
    assert not list((places / "published").iterdir())


def test_a_series_refuses_a_path_that_is_not_there_before_it_writes_it_down(places):
    with pytest.raises(SystemExit, match="no such file"):
        series.run({"best": ("best", [])}, "nowhere.zip")
    assert not list((places / "runs").iterdir())


def test_what_is_held_against_a_published_best_computes_alike_on_the_same_cases(places, monkeypatch):
    scored(places / "published" / "summary", [0.5, 0.75])
    for suffix in ("csv", "json"):
        old = "cases.csv" if suffix == "csv" else "summary.json"
        (places / "published" / "summary" / old).rename(places / "published" / f"best.{suffix}")
    (places / "archive.zip").touch()
    done = []

    def execute(names, target):
        done.append((names, target))
        paths.data(names[0]).mkdir(parents=True, exist_ok=True)
        (paths.data(names[0]) / "dataset.json").write_text(json.dumps({"fingerprint": "same"}))

    monkeypatch.setattr(series.pipeline, "execute", execute)
    plan = {"thin": ("best", ["train.base_filters=4"])}
    series.run(plan, str(places / "archive.zip"))
    assert done == [(["thin"], "thin/data/dataset.json"), (["thin"], "all")]
    assert runs.study("thin").train.precision == "float32"
    monkeypatch.setattr(series.pipeline, "execute", lambda names, target: None)
    (paths.data("thin") / "dataset.json").write_text(json.dumps({"fingerprint": "other"}))
    with pytest.raises(SystemExit, match="other cases"):
        series.run(plan, str(places / "archive.zip"))

    series.run({"best": ("best", [])}, str(places / "archive.zip"))
    assert runs.study("best").train.precision == "auto", "best itself is the study as it is"
