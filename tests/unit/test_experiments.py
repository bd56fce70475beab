"""What the modules of experiments make of scored runs."""

from functools import partial

import ablation
import confirmation
import jsrt
import numpy as np
import pandas as pd
import patients
import pytest

from cxrseg import paths, runs
from cxrseg.data.cases import Case
from cxrseg.data.dataset import Dataset
from cxrseg.evaluate import compare
from cxrseg.phantom import phantom
from cxrseg.publish import tables
from cxrseg.publish.experiments import Experiment
from cxrseg.studies import read_study

SIDE = 16


def scores(dice, names=("a", "b")):
    pixels = {"truth_pixels": 100, "predicted_pixels": 90, "structure": "lungs", "label": "COVID", "dataset": "same"}
    return pd.DataFrame({"case_id": names, "dice": dice, "hd95_px": 1.0, "nsd_2px": 1.0}).assign(**pixels)


def experiment(runs, **others):
    given = {label: {"study": "best", "name": label.replace(" ", "-")} for label in runs}
    return Experiment(name="one", title="t", measure="m", runs=given, **others)


def test_a_point_of_the_curve_is_the_mean_of_its_draws(monkeypatch):
    found = {
        "paper": scores([0.5, 0.5]),
        "10-phantoms-1": scores([0.7, 0.9]), "10-phantoms-2": scores([0.5, 0.9]), "10-scratch-1": scores([0.3, 0.3]),
        "all-phantoms-1": scores([1.0, 1.0]), "all-scratch-1": scores([0.9, 1.0]),
    }  # fmt: skip
    monkeypatch.setattr(compare, "cases", lambda run: found[run])
    default = scores([0.4, 0.6, 0.9], ("a", "b", "not tested by the others")).drop(columns="dataset")
    monkeypatch.setattr(patients, "scored_on", lambda experiment, name: default)
    study = read_study(paths.study_file("best"), ["train.epochs=7"])
    monkeypatch.setattr(runs, "study", lambda run: study)
    labels = [name.replace("-", " ") for name in found]
    content = patients.measure(experiment(labels, reference="paper"))
    assert content["n_cases"] == 2 and list(content["points"]) == ["0", "10", "all"]
    assert content["points"]["0"]["phantoms"]["mean"] == 0.5
    ten = content["points"]["10"]
    assert ten["phantoms"]["mean"] == pytest.approx(0.75) and ten["phantoms"]["draws"] == pytest.approx([0.8, 0.7])
    assert ten["phantoms"]["p5"] == pytest.approx(0.615)  # the mean of 0.71 and 0.52
    assert ten["phantoms_minus_scratch"]["mean_difference"] == pytest.approx(0.45)
    assert ten["phantoms_minus_default"]["mean_difference"] == pytest.approx(0.25)
    assert content["epochs"] == {"10": 7, "all": 7}
    assert content["minus_paper"]["all"]["mean_difference"] == pytest.approx(0.5)


def test_stored_predictions_are_cut_in_another_way(tmp_path, monkeypatch):
    truth = np.zeros((2, SIDE, SIDE, 1), np.uint8)
    truth[:, 2:10, 2:7] = 1
    levels = truth * np.uint8(255)
    levels[:, 12:14, 12:14] = 255  # a second piece, which counts only as it comes
    cases = pd.DataFrame({"case_id": ["a", "b"], "label": "COVID", "fold": [1, 0]})
    dataset = Dataset(np.zeros((2, SIDE, SIDE), np.uint8), truth, cases, {"structures": ["lungs"]})
    monkeypatch.setattr(Dataset, "load", lambda folder: dataset)
    monkeypatch.setattr(paths, "run", lambda name: tmp_path)
    np.save(tmp_path / "predictions.npy", levels)
    study = read_study(paths.study_file("best"), ["evaluate.pieces=1"])
    monkeypatch.setattr(runs, "study", lambda run: study)
    row = ablation.rescored("best", ablation.EvaluateConfig(pieces=0))
    assert row["mean"] == pytest.approx(2 * 40 / (40 + 44))
    assert row["difference"]["dice"]["mean_difference"] == pytest.approx(80 / 84 - 1)
    assert ablation.rescored("best", ablation.EvaluateConfig(pieces=1))["mean"] == 1


def test_confirmation_holds_the_methods_against_each_other_case_by_case(monkeypatch):
    found = {"paper": scores([0.5, 0.75]), "best": scores([0.75, 0.875])}
    others = {
        "default": scores([0.5, 0.5, 0.75], ("a", "b", "c")),
        "development": scores([0.75, 0.75, 1], ("a", "b", "c")),
    }
    monkeypatch.setattr(compare, "cases", lambda run: found[run])
    monkeypatch.setattr(confirmation, "row", lambda run: {"mean": found[run]["dice"].mean()})
    monkeypatch.setattr(confirmation, "scored_on", lambda experiment, name, run: others[run].drop(columns="dataset"))
    monkeypatch.setattr(confirmation, "listed", lambda experiment, name: name)
    monkeypatch.setattr(confirmation, "in_both", lambda *sets: sets)
    one = experiment(["paper", "best", "development"])
    content, table = confirmation.measure(one)
    assert content["best"]["mean"] == 0.8125 and content["default"]["n"] == 3
    assert content["default_on_the_sample"]["n"] == 2
    assert content["best_minus_paper"]["mean_difference"] == pytest.approx(0.1875)
    assert content["development_minus_default"]["n"] == 3
    assert content["in_both_sets"] == ("development", "confirmation")
    table = table.set_index("case_id")
    assert table.loc["a", ["paper", "best", "default", "development"]].tolist() == [0.5, 0.75, 0.5, 0.75]
    assert np.isnan(table.loc["c", "best"])


def test_a_film_of_both_sets_is_found():
    films = [phantom(7, k, "Normal").image for k in range(4)]
    moved = np.roll(films[1], 5, axis=0) // 2 + 30
    development, others = ([film(one) for one in few] for few in (films[:2], [moved, *films[2:]]))
    assert confirmation.in_both(development, others) == 1
    assert confirmation.in_both(development * 2, others[1:]) == 0  # a film twice in one set does not count


def film(image):
    return Case("film.png", "all", partial(np.asarray, image), {})


def test_a_row_holds_what_was_found_in_a_film(monkeypatch):
    monkeypatch.setattr(tables, "SIZE", {"jsrt": 3})
    monkeypatch.setattr(tables, "DECISION", {"jsrt": 1})
    rows = [
        {"case_id": f"{name}.png", "structure": structure, "dice": dice, **(ratio if structure == "heart" else {})}
        for name, dice, ratio in (
            ("a", 0.9, {"truth_ctr": 0.5, "predicted_ctr": 0.52}),
            ("b", 0.8, {"truth_ctr": 0.4, "predicted_ctr": np.nan}),
            ("c", 0.7, {"truth_ctr": 0.45, "predicted_ctr": 0.44}),
        )
        for structure in ("lungs", "heart")
    ]
    table = jsrt.table(pd.DataFrame(rows))
    assert table["name"].tolist() == ["a", "b", "c"]
    assert table["group"].tolist() == ["others", "others", "decision"]
    assert table["dice_heart"].tolist() == [0.9, 0.8, 0.7]
    others = jsrt.summarise(table[table["group"] == "others"], 0.54)
    assert others["n"] == 2
    assert (others["ctr"]["n"], others["ctr"]["missing"]) == (1, 1)
    assert others["ctr"]["bias"]["mean"] == pytest.approx(0.02)
    assert others["structures"]["lungs"]["mean"] == pytest.approx(0.85)
