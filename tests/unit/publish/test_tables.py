"""Rows of tables hold runs against each other case by case."""

import json

import pandas as pd
import pytest

from cxrseg import paths
from cxrseg.publish import tables
from cxrseg.publish.experiments import Experiment


def scored(folder, dice, backend="jax"):
    """Write what a scored run leaves behind, of which tables read a part."""
    rows = pd.DataFrame({"case_id": ["007", "8"], "label": ["COVID", "NA"], "structure": "lungs", "dice": dice})
    rows = rows.assign(hd95_px=[2.0, 4.0], nsd_2px=[0.5, 0.75], truth_pixels=100, predicted_pixels=[90, 110])
    provenance = {"training": [{"seconds": 2}, {"seconds": 4}], "precision": "float32", "backend": backend}
    summary = {"n_parameters": 5, "dice": {"n": 2}, "provenance": provenance | {"dataset_fingerprint": "same"}}
    folder.mkdir(parents=True)
    rows.to_csv(folder / "cases.csv", index=False)
    (folder / "summary.json").write_text(json.dumps(summary))


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "runs", lambda: tmp_path)
    return tmp_path


def test_a_run_is_held_against_another_case_by_case(runs):
    scored(runs / "best", [0.5, 0.75])
    scored(runs / "other", [0.75, 1.0])
    row = tables.row("best")
    assert row["mean"] == 0.625 and row["seconds_per_fold"] == 3 and "difference" not in row
    assert tables.row("other", "best")["difference"]["dice"]["mean_difference"] == 0.25


def test_a_row_may_be_compared_with_another_as_well(runs):
    for name, dice in (("best", [0.5, 0.75]), ("scratch", [0.25, 0.5]), ("plain", [0.25, 0.25])):
        scored(runs / name, dice)
    given = {
        "best": {"study": "best"},
        "scratch": {"study": "best", "name": "scratch"},
        "plain": {"study": "best", "name": "plain", "also": "scratch"},
    }
    rows = tables.rows(Experiment(name="one", title="t", measure="m", runs=given, reference="best"))
    assert "difference" not in rows["best"]
    assert rows["scratch"]["difference"]["dice"]["mean_difference"] == -0.25
    assert rows["plain"]["difference"]["dice"]["mean_difference"] == -0.375
    assert rows["plain"]["also"]["mean_difference"] == -0.125


def test_chance_is_what_seeds_leave_open():
    # By hand: the deviations from 0.5 are -0.1, 0 and 0.1; Student's t of two degrees of freedom is 4.3027 at 97.5%.
    chance = tables.chance([0.4, 0.5, 0.6])
    assert chance["sd"] == pytest.approx(0.1)
    assert chance["least_difference"] == pytest.approx(4.3027 * 0.1 * 2**0.5, rel=1e-4)


def test_the_films_that_steered_come_first_by_their_digest(monkeypatch):
    monkeypatch.setattr(tables, "SIZE", {"jsrt": 3, "development": 3})
    monkeypatch.setattr(tables, "DECISION", {"jsrt": 1, "development": 2})
    # SHA-256 of a, b, c: ca97…, 3e23…, 2e7d…
    assert tables.decision("jsrt", ["x/a.png", "x/b.png", "x/c.png"]) == {"x/c.png"}
    assert len(tables.decision("development", ["a", "b", "c"])) == 2
    with pytest.raises(ValueError, match="got 2"):
        tables.decision("jsrt", ["a", "b"])
