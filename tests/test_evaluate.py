import json

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from cxrseg import quality
from cxrseg.config import DataConfig, EvaluateConfig
from cxrseg.evaluate import evaluate
from cxrseg.inputs import _gaussian, network_input, network_target, to_grid
from cxrseg.masks import to_levels, to_masks
from cxrseg.prepare import load, prepare
from cxrseg.scores import score, summarise

CONFIG = EvaluateConfig(resamples=200)


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
    record = {"fold": fold, "fingerprint": load(data)[3]["fingerprint"], "n_parameters": 0, "config": {"batch_size": 4}}
    (folder / "train.json").write_text(json.dumps(record))
    return folder


def test_each_fold_is_scored_on_its_own_cases(data, tmp_path):
    folds = [trained(tmp_path / f"fold-{k}", data, k) for k in (0, 3)]
    rows, scores = evaluate(CONFIG, data, folds, tmp_path)
    images, masks, cases, _ = load(data)
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


def masks_with(*dices, size=40):
    """Make pairs of masks of known Dice: 200 true pixels, of which a share is found and as many are extra."""
    for dice in dices:
        truth, predicted = np.zeros((size, size, 1), bool), np.zeros((size, size, 1), bool)
        truth.ravel()[:200] = True
        hit = round(200 * dice)
        predicted.ravel()[:hit] = True
        predicted.ravel()[400 : 600 - hit] = True
        yield truth, predicted


def test_summary_counts_by_class():
    pairs = list(masks_with(1.0, 0.95, 0.85, 0.5))
    labels = ["COVID", "COVID", "Normal", "Normal"]
    items = [({"case_id": str(n), "label": labels[n], "fold": 0}, *pair) for n, pair in enumerate(pairs)]
    summary = summarise(score(items, ["lungs"]), ["lungs"], CONFIG)
    assert summary["dice"]["mean"] == pytest.approx(0.825)
    assert summary["dice"]["min"] == pytest.approx(0.5)
    assert summary["dice"]["below_090"] == 0.5
    assert summary["macro"]["dice"]["mean"] == pytest.approx((0.975 + 0.675) / 2)
    assert summary["macro"] == summary["structures"]["lungs"]["macro"]
    assert summary["classes"]["COVID"]["dice"]["mean"] == pytest.approx(0.975)
    assert summary["classes"]["Normal"]["n"] == 2
    assert summary["failures"] == {"below_080": 1, "below_090": 2}
    assert summary["structures"]["lungs"]["dice"] == summary["dice"]
    low, high = summary["dice"]["ci95"]
    assert 0.5 <= low < 0.825 < high <= 1


def test_structure_that_some_lack_is_scored_where_it_is():
    ((truth, predicted),) = masks_with(0.8)
    nothing = np.zeros_like(truth)
    items = [
        ({"case_id": "a", "label": "COVID", "fold": 0}, truth, predicted),
        ({"case_id": "b", "label": "Normal", "fold": 0}, nothing, nothing),
        ({"case_id": "c", "label": "Normal", "fold": 0}, nothing, predicted),
    ]
    summary = summarise(score(items, ["infection"]), ["infection"], CONFIG)
    assert (summary["n_cases"], summary["failures"]) == (3, {"below_080": 0, "below_090": 1})
    scores = summary["structures"]["infection"]
    assert scores["n"] == 1
    assert scores["dice"]["mean"] == pytest.approx(0.8)
    assert list(scores["classes"]) == ["COVID"]
    assert scores["absent"] == {"n": 2, "false_positives": 1}
    with pytest.raises(ValueError, match="none of 2 cases has infection"):
        summarise(score(items[1:], ["infection"]), ["infection"], CONFIG)


def test_first_structure_that_some_lack_is_held_against_baselines_on_the_cases_that_have_it(tmp_path):
    classes = {"Normal": 6, "COVID": 6}
    prepare(DataConfig(image_size=64, cases_per_class=classes, structures=["infection", "lungs"]), tmp_path / "data")
    rows, scores = evaluate(CONFIG, tmp_path / "data", [trained(tmp_path / "fold-0", tmp_path / "data", 0)], tmp_path)
    ill = int((rows["label"] == "COVID").sum() / 2)
    assert 0 < ill < scores["n_cases"]
    assert scores["dice"]["n"] == scores["baselines"]["otsu"]["dice"]["n"] == scores["boundary_band"]["1px"]["n"] == ill
    assert scores["calibration"]["all"]["pixels"] == ill * 64 * 64
    assert "quality" not in scores


def test_levels_keep_the_threshold():
    for threshold in (0.5, 0.3, 0.77):
        probability = np.linspace(0, 1, 256 * 4 + 1)
        kept = to_levels(probability) >= threshold * 255
        assert (kept == (probability >= threshold))[np.abs(probability - threshold) > 0.5 / 255].all()
    assert (to_levels(np.array([0.5, 0.4999])) >= 0.5 * 255).tolist() == [True, False]


def test_inputs_are_averaged_not_sampled():
    stripes = np.zeros((1, 64, 64), np.uint8)
    stripes[:, :, ::2] = 255
    assert network_input(stripes, 64).max() == 1
    assert np.abs(network_input(stripes, 16)[:, 2:-2, 2:-2] - 0.5).max() < 0.05
    mask = np.zeros((1, 64, 64, 2), np.uint8)
    mask[:, 8:24, 8:24, 1] = 1
    target = network_target(mask, 16)
    assert target[0, ..., 1].sum() == 16
    assert target[0, ..., 0].sum() == 0


def test_equalised_input_does_not_change_with_exposure():
    rng = np.random.default_rng(0)
    image = gaussian_filter(rng.standard_normal((64, 64)), 3)
    image = np.uint8(20 + 200 * (image - image.min()) / np.ptp(image))
    darker = np.uint8(255 * (image / 255.0) ** 1.6)
    one, two = network_input(np.stack([image, darker]), 64, "equalised")
    assert one.shape == (64, 64, 2)
    assert np.abs(one - two).mean() < 0.02
    # Equalised: any value is as frequent as any other, but for the clipped ends.
    assert np.histogram(one[..., 0], 10, (-1, 1))[0].std() < 64 * 64 * 0.02
    # The second channel has no slow brightness left.
    assert np.abs(gaussian_filter(one[..., 1], 8)).mean() < 0.1


def test_gaussian_matrix_is_scipys_filter():
    image = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    blur = _gaussian(64, 3.0)
    inner = (slice(16, -16), slice(16, -16))
    np.testing.assert_allclose(
        (blur @ image @ blur.T)[inner], gaussian_filter(image, 3.0, truncate=8)[inner], atol=1e-5
    )


def test_largest_pieces_are_kept_and_filled():
    levels = np.zeros((40, 60, 2), np.uint8)
    levels[5:35, 5:20, 0] = 200  # a lung, with a hole
    levels[15:18, 10:13, 0] = 0
    levels[5:30, 35:50, 0] = 200  # the other
    levels[0:4, 55:59, 0] = 200  # a speck
    levels[36:39, 5:20, 0] = 255  # a band below: the third piece
    levels[1, 1, 1] = 255
    kept = to_masks(levels, 0.5, pieces=2)
    by_hand = np.zeros((40, 60), bool)
    by_hand[5:35, 5:20] = by_hand[5:30, 35:50] = True
    np.testing.assert_array_equal(kept[..., 0], by_hand)
    assert kept[1, 1, 1], "other structures stay as they are"
    assert to_masks(levels, 0.5)[..., 0].sum() == (levels[..., 0] > 0).sum()
    assert not to_masks(levels * 0, 0.5, pieces=2).any()
    lone = to_masks(levels[:, :25], 0.5, pieces=2)
    np.testing.assert_array_equal(lone[..., 0][36:39, 5:20], True)


def test_a_crumb_is_no_second_lung():
    levels = np.zeros((30, 30, 1), np.uint8)
    levels[5:25, 5:15] = levels[2:5, 25:28] = 255
    assert to_masks(levels, 0.5, pieces=2).sum() == 200
