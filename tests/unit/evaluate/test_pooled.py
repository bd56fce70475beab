import json

import keras
import numpy as np
import pandas as pd
import pytest
from samples import CONFIG

from cxrseg.config import DataConfig, TrainConfig
from cxrseg.data.dataset import Dataset
from cxrseg.data.prepare import prepare
from cxrseg.evaluate import quality
from cxrseg.evaluate.pooled import evaluate
from cxrseg.train.fold import train
from cxrseg.train.inputs import network_input, to_grid


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate") / "data"
    prepare(
        DataConfig(image_size=64, cases_per_class={"Normal": 6, "COVID": 6}, structures=["lungs", "infection"]), folder
    )
    return folder


def network(path, size=32):
    """Save a network whose answer is known: probability 1 - grey level for lungs, 0 for infection."""
    image = keras.Input((size, size, 1))
    dark = keras.layers.Rescaling(-1, 1)(image)
    keras.Model(image, keras.layers.Concatenate()([dark, keras.layers.Rescaling(0)(image)])).save(path / "model.keras")


def trained(folder, data, fold):
    folder.mkdir()
    network(folder)
    record = {
        "fold": fold,
        "fingerprint": Dataset.load(data).fingerprint,
        "n_parameters": 0,
        "config": {"batch_size": 4},
    }
    (folder / "train.json").write_text(json.dumps(record))
    return folder


def test_each_fold_is_scored_on_its_own_cases(data, tmp_path):
    folds = [trained(tmp_path / f"fold-{k}", data, k) for k in (0, 3)]
    rows, scores = evaluate(CONFIG, data, folds, tmp_path)
    dataset = Dataset.load(data)
    images, masks, cases = dataset.images, dataset.masks, dataset.cases
    lungs = rows[rows["structure"] == "lungs"]
    expected = [*cases["case_id"][cases["fold"] == 0], *cases["case_id"][cases["fold"] == 3]]
    assert lungs["case_id"].tolist() == expected
    assert scores["n_cases"] == len(expected)
    levels = np.load(tmp_path / "predictions.npy")
    for n, case_id in enumerate(expected):
        k = cases.index[cases["case_id"] == case_id][0]
        small = network_input(images[k : k + 1], 32)[0, ..., 0]
        by_hand = to_grid((1 - small)[None, ..., None], 64)[0, ..., 0]
        np.testing.assert_allclose(levels[n, ..., 0] / 255, by_hand, atol=0.5 / 255 + 1e-6)
        predicted, truth = levels[n, ..., 0] >= 127.5, masks[k, ..., 0] > 0
        dice = 2 * (predicted & truth).sum() / (predicted.sum() + truth.sum())
        assert lungs["dice"].iloc[n] == pytest.approx(dice)
    written = pd.read_csv(tmp_path / "cases.csv")
    assert list(written.columns[:7]) == [
        "case_id", "label", "fold", "structure", "truth_pixels", "predicted_pixels", "dice",
    ]  # fmt: skip
    assert set(scores["baselines"]) == {"mean_shape", "otsu"}
    assert set(scores["boundary_band"]) == {"1px", "2px"}
    curve = scores["calibration"]["thresholds"]
    assert curve["dice"][curve["threshold"].index(0.5)] == pytest.approx(scores["dice"]["mean"])
    assert scores["calibration"]["all"]["pixels"] == len(expected) * 64 * 64
    assert sorted(path.name for path in tmp_path.glob("*.*")) == [
        "baselines.csv", "cases.csv", "predictions.npy", "quality.csv",
    ]  # fmt: skip
    predicted = pd.read_csv(tmp_path / "quality.csv")
    assert predicted["case_id"].tolist() == expected
    k = cases.index[cases["case_id"] == expected[-1]][0]
    last = quality.predict(levels[-1, ..., 0] / 255, np.array(images[k]))
    assert predicted["predicted_dice"].iloc[-1] == pytest.approx(last, abs=1e-4)
    assert scores["quality"]["n"] == len(expected)
    assert scores["leakage"]["across_folds"] == 0


def test_network_of_other_data_is_refused(data, tmp_path):
    fold = trained(tmp_path / "fold-0", data, 0)
    record = json.loads((fold / "train.json").read_text()) | {"fingerprint": "another"}
    (fold / "train.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match="trained on other data"):
        evaluate(CONFIG, data, [fold], tmp_path)
    with pytest.raises(FileNotFoundError, match="02-train"):
        evaluate(CONFIG, data, [tmp_path / "fold-9"], tmp_path)


def test_first_structure_that_some_lack_is_held_against_baselines_on_the_cases_that_have_it(tmp_path):
    classes = {"Normal": 6, "COVID": 6}
    prepare(DataConfig(image_size=64, cases_per_class=classes, structures=["infection", "lungs"]), tmp_path / "data")
    rows, scores = evaluate(CONFIG, tmp_path / "data", [trained(tmp_path / "fold-0", tmp_path / "data", 0)], tmp_path)
    ill = int((rows["label"] == "COVID").sum() / 2)
    assert 0 < ill < scores["n_cases"]
    assert scores["dice"]["n"] == scores["baselines"]["otsu"]["dice"]["n"] == scores["boundary_band"]["1px"]["n"] == ill
    assert scores["calibration"]["all"]["pixels"] == ill * 64 * 64
    assert "quality" not in scores


def test_a_network_that_predicts_both_sides_is_scored_on_their_union(tmp_path):
    structures = ["lungs", "right_lung", "left_lung", "heart"]
    few = {"Normal": 4, "COVID": 4}
    dataset = prepare(DataConfig(image_size=64, cases_per_class=few, structures=structures, folds=2), tmp_path / "data")
    np.testing.assert_array_equal(dataset.masks[..., 0], dataset.masks[..., 1] | dataset.masks[..., 2])
    tiny = TrainConfig(input_size=32, base_filters=2, depth=2, epochs=1, batch_size=4)
    train(tiny, tmp_path / "data", tmp_path / "fold-0", 0)
    model = keras.saving.load_model(tmp_path / "fold-0" / "model.keras", compile=False)
    assert model.output_shape[-1] == 3
    rows, scores = evaluate(CONFIG, tmp_path / "data", [tmp_path / "fold-0"], tmp_path)
    assert rows["structure"].unique().tolist() == list(scores["structures"]) == structures
    levels = np.load(tmp_path / "predictions.npy")
    # The larger probability is taken before both are brought to the grid of the masks.
    assert np.abs(levels[..., 0].astype(int) - levels[..., 1:3].max(axis=-1)).max() <= 1
