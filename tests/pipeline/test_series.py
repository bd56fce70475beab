"""What the series of runs compare, keep and publish."""

import json
import sys
import zipfile
from collections import Counter
from types import SimpleNamespace

import ablation
import curve
import excerpt
import keras
import pandas as pd
import publish
import pytest
import series
from support import ROOT

from cxrseg import paths


def scored(folder, dice, backend="jax"):
    """Write what a scored run leaves behind, of which the series read a part."""
    rows = pd.DataFrame({"case_id": ["007", "8"], "label": ["COVID", "NA"], "structure": "lungs", "dice": dice})
    rows = rows.assign(hd95_px=[2.0, 4.0], nsd_2px=[0.5, 0.75], truth_pixels=100, predicted_pixels=[90, 110])
    provenance = {
        "training": [{"seconds": 2}, {"seconds": 4}],
        "commit": "c",
        "precision": "float32",
        "backend": backend,
        "hardware": {"gpu": None},
        "dirty": False,
    }
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


def test_a_run_is_held_against_another_case_by_case(places):
    scored(places / "runs" / "best", [0.5, 0.75])
    scored(places / "runs" / "other", [0.75, 1.0])
    row = series.entry("best")
    assert row["mean"] == 0.625 and row["seconds_per_fold"] == 3 and "difference" not in row
    assert series.entry("other", "best")["difference"]["dice"]["mean_difference"] == 0.25


def test_cases_left_out_do_not_count(places):
    scored(places / "runs" / "best", [0.5, 0.75])
    row = series.entry("best", without={"007"})
    assert row["n"] == 1 and row["mean"] == 0.75


def test_what_other_arithmetic_computed_is_not_compared(places):
    for name, backend in (("best", "jax"), ("other", "torch")):
        scored(places / "runs" / name, [0.5, 0.75], backend)
    with pytest.raises(SystemExit, match=r"'other' and 'best' were computed by .*torch.*jax"):
        series.entry("other", "best")
    assert series.command("/here/sizes.py", "/there/A.zip", "best") == (
        "KERAS_BACKEND=jax python experiments/sizes.py --data A.zip"
    )


def test_chance_is_what_three_seeds_leave_open():
    # By hand: the deviations from 0.5 are -0.1, 0 and 0.1; Student's t of two degrees of freedom is 4.3027 at 97.5%.
    chance = ablation.chance([0.4, 0.5, 0.6])
    assert chance["sd"] == pytest.approx(0.1)
    assert chance["least_difference"] == pytest.approx(4.3027 * 0.1 * 2**0.5, rel=1e-4)


def test_the_ablation_holds_every_change_against_best(places, monkeypatch):
    for place, name in enumerate([*ablation.plan(), "best-the-mask-as-it-comes"]):
        scored(places / "runs" / name, [0.5 + place / 100, 0.75])
    monkeypatch.setattr(ablation, "run", lambda plan, data: None)
    monkeypatch.setattr(ablation, "rescore", lambda *of: None)
    monkeypatch.setattr(ablation, "pairs", lambda data: [])
    monkeypatch.setattr(ablation, "decision_cases", lambda names: {"8"})
    monkeypatch.setattr(sys, "argv", ["ablation.py", "--data", "somewhere/A.zip"])
    ablation.main()
    content = json.loads((places / "published" / "ablation.json").read_text())
    assert content["command"] == "KERAS_BACKEND=jax python experiments/ablation.py --data A.zip"
    assert list(content["rows"]) == ["best", *ablation.CHANGES, ablation.PAPER]
    assert content["rows"][ablation.PAPER]["difference"]["dice"]["mean_difference"] == pytest.approx(-0.005)
    assert content["steered"]["seen"]["n"] == content["steered"]["others"]["n"] == 1


def test_a_part_of_the_curve_leaves_the_other_points(places, monkeypatch):
    earlier = {"10": {"phantoms": {"mean": 0.1}}, "30": {"phantoms": {"mean": 0.3}}, "all": {"phantoms": {"mean": 1}}}
    content = {**curve.origin("same"), "points": earlier, "paper": {"mean": 0.2}}
    content["minus_paper"] = {"10": {"n": 1}, "30": {"n": 1}}
    (places / "published" / "curve.json").write_text(json.dumps(content))
    for name in curve.points_of([30])[30]:
        scored(places / "runs" / name, [0.5, 0.75])
    scored(paths.external("default", "A"), [0.25, 0.5])
    monkeypatch.setattr(curve, "run", lambda plan, data: None)
    monkeypatch.setattr(curve, "subprocess", SimpleNamespace(run=lambda command, check: None))
    monkeypatch.setattr(sys, "argv", ["curve.py", "--data", "somewhere/A.zip", "--only", "30"])
    curve.main()
    content = json.loads((places / "published" / "curve.json").read_text())
    assert list(content["points"]) == ["0", "10", "30", "all"]
    assert content["points"]["30"]["phantoms"]["mean"] == 0.625 and content["points"]["10"] == earlier["10"]
    assert content["points"]["30"]["phantoms_minus_default"]["mean_difference"] == 0.25
    assert content["minus_paper"] == {"10": {"n": 1}}, "that of 30 was of another run"
    assert content["paper"] == {"mean": 0.2}


def test_scores_of_each_case_are_published_beside_the_summary(places):
    scored(places / "runs" / "best", [0.5, 0.75])
    publish.publish("best", "cxrseg run best")
    rows = pd.read_csv(places / "published" / "best.csv", dtype={"case_id": str}, keep_default_na=False)
    assert rows["case_id"].tolist() == ["007", "8"] and rows["dice"].tolist() == [0.5, 0.75]
    assert json.loads((places / "published" / "best.json").read_text())["command"] == "cxrseg run best"


def test_points_of_the_curve_stay_while_cases_and_recipe_are_the_same(places):
    assert curve.before(curve.origin("same")) == {}
    content = {**curve.origin("same"), "points": {"10": {}}}
    (places / "published" / "curve.json").write_text(json.dumps(content))
    assert curve.before(curve.origin("same")) == content
    for other in (curve.origin("other"), curve.origin("same") | {"default": "other weights"}):
        assert curve.before(other) == {}


def test_the_series_have_the_runs_that_their_tables_name():
    assert ablation.plan()["best"] == ("best", []), "every difference is to it"
    assert "best-the-mask-as-it-comes" not in ablation.plan(), "it has the networks of best"
    assert list(curve.points_of([0])[0]) == ["best", "best-from-random-weights"], "shared with the ablation"


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


def test_runs_of_another_backend_are_named_before_anything_is_trained(places):
    scored(places / "runs" / "best", [0.5, 0.75], backend="something else")
    with pytest.raises(SystemExit, match=f"another backend than {keras.backend.backend()}: the runs best"):
        series.run({"best": ("best", []), "other": ("best", [])}, str(places))


def test_the_excerpt_is_cut_out_by_name(tmp_path):
    root = "COVID-QU-Ex/Infection Segmentation Data/Train/Normal"
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as whole:
        for number in (1, 2, 3):
            for kind in excerpt.FOLDERS:
                whole.writestr(f"{root}/{kind}/Normal ({number}).png", f"{kind} {number}")
        whole.writestr("Lung Segmentation Data/Lung Segmentation Data/Train/Normal/images/Normal (1).png", "another")
    cases = ["Train/Normal/Normal (1).png", "Train/Normal/Normal (3).png"]
    excerpt.cut(tmp_path / "whole.zip", tmp_path / "part.zip", cases)
    with zipfile.ZipFile(tmp_path / "part.zip") as part:
        content = {name: part.read(name).decode() for name in part.namelist()}
    inside = "Infection Segmentation Data/Train/Normal"
    assert content == {
        f"{inside}/{kind}/Normal ({number}).png": f"{kind} {number}" for number in (1, 3) for kind in excerpt.FOLDERS
    }
    with pytest.raises(ValueError, match=r"3 of 3 members are missing.*Normal \(4\)"):
        excerpt.cut(tmp_path / "whole.zip", tmp_path / "no.zip", ["Train/Normal/Normal (4).png"])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["part.zip", "whole.zip"]


def test_the_excerpt_names_the_cases_that_were_scored():
    cases = excerpt.CASES.read_text().splitlines()
    assert Counter(case.split("/")[1] for case in cases) == {"COVID-19": 750, "Non-COVID": 375, "Normal": 375}
    assert len(set(cases)) == 1500
    for name in ("everyone", "infection"):
        scores = pd.read_csv(ROOT / "book" / "published" / f"{name}.csv", dtype=str)
        assert set(scores["case_id"]) <= set(cases)
