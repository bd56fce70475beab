"""Exact counts against brute force, scikit-learn, and answers known by hand."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from cxrseg.evaluate import calibration
from cxrseg.evaluate.metrics import overlap


def made(seed, shape=(40, 50)):
    """Make a reference and levels that are right on average but for a push upwards."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 256, shape).astype(np.uint8)
    return rng.random(shape) < (levels / 255) ** 1.5, levels


PAIRS = [made(seed) for seed in range(5)]


def test_bins_are_scikit_learns():
    result = calibration.calibrate(PAIRS)["all"]
    truth = np.concatenate([t.ravel() for t, _ in PAIRS])
    probability = np.concatenate([p.ravel() for _, p in PAIRS]) / 255
    # A probability on the edge of two bins: scikit-learn takes the lower one, we the upper.
    frequency, mean = calibration_curve(truth, np.minimum(probability + 1e-9, 1), n_bins=10)
    assert [row["frequency"] for row in result["bins"]] == pytest.approx(frequency)
    assert [row["probability"] for row in result["bins"]] == pytest.approx(mean)
    assert sum(row["share"] for row in result["bins"]) == pytest.approx(1)
    gaps = [row["share"] * abs(row["probability"] - row["frequency"]) for row in result["bins"]]
    assert result["ece"] == pytest.approx(sum(gaps))
    assert result["overconfidence"] == pytest.approx(probability.mean() - truth.mean())


def test_true_probabilities_are_calibrated_and_certain_errors_are_not():
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, (600, 600)).astype(np.uint8)
    truth = rng.random(levels.shape) < levels / 255
    assert calibration.calibrate([(truth, levels)])["all"]["ece"] < 0.01
    wrong = np.where(truth, 0, 255).astype(np.uint8)
    assert calibration.calibrate([(truth, wrong)])["all"]["ece"] == 1


def test_dice_at_thresholds_is_that_of_the_masks():
    curve = calibration.calibrate(PAIRS)["thresholds"]
    for threshold, dice in zip(curve["threshold"], curve["dice"], strict=True):
        by_hand = [overlap(truth, levels >= threshold * 255)["dice"] for truth, levels in PAIRS]
        assert dice == pytest.approx(np.mean(by_hand))
    assert curve["best_dice"] == max(curve["dice"])
    assert curve["best"] == curve["threshold"][np.argmax(curve["dice"])]


def test_nothing_predicted_where_nothing_is_counts_as_agreement():
    nothing = np.zeros((8, 8), bool), np.zeros((8, 8), np.uint8)
    result = calibration.calibrate([nothing])
    assert set(result["thresholds"]["dice"]) == {1.0}
    assert result["near_outline"] == {"pixels": 0, "ece": 0.0, "overconfidence": 0.0, "bins": []}
    assert result["all"]["ece"] == 0


def test_the_band_lies_along_both_outlines():
    truth = np.zeros((40, 40), bool)
    truth[:, 20:] = True
    same = calibration.count(truth, np.where(truth, 255, 0).astype(np.uint8))[1].sum()
    assert same == 40 * 2 * calibration.BAND  # to each side of one straight outline; the image's border is none
    shifted = calibration.count(truth, np.where(np.roll(truth, 10, axis=1), 255, 0).astype(np.uint8))[1].sum()
    assert shifted == 3 * same  # the shifted mask has two outlines of its own


def test_what_is_not_counted_in_levels_is_refused():
    with pytest.raises(ValueError, match="levels must be uint8"):
        calibration.count(np.zeros((4, 4), bool), np.zeros((4, 4)))
    with pytest.raises(ValueError, match="at least one image"):
        calibration.calibrate([])
