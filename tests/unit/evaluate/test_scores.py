"""Scores of many cases, summed up by class and by structure."""

import numpy as np
import pytest
from samples import CONFIG

from cxrseg.evaluate.scores import aggregate, score


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
    summary = aggregate(score(items, ["lungs"]), ["lungs"], CONFIG)
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


def test_distances_are_also_shares_of_the_height_of_the_first_structure():
    truth = np.zeros((40, 50, 2), bool)
    truth[5:25, 10:20, 0] = truth[30:34, 10:20, 1] = True  # 20 and 4 pixels high
    items = [({"case_id": "a", "label": "all", "fold": 0}, truth, np.roll(truth, 3, axis=1))]
    rows = score(items, ["lungs", "heart"])
    np.testing.assert_allclose(rows["hd95_height"], [3 / 20, 3 / 20])
    np.testing.assert_allclose(rows["assd_height"], rows["assd_px"] / 20)
    assert "hd95_mm" not in rows


def test_millimetres_are_summed_up_where_they_are_known():
    pairs = masks_with(0.9, 0.8, 0.7)
    known = [(0.5, 0.5), None, None]
    items = [({"case_id": str(n), "label": "ab"[n > 0], "fold": 0}, *pair, known[n]) for n, pair in enumerate(pairs)]
    rows = score(items, ["lungs"])
    lungs = aggregate(rows, ["lungs"], CONFIG)["structures"]["lungs"]
    assert (lungs["hd95_mm"]["n"], lungs["hd95_px"]["n"]) == (1, 3)
    assert lungs["assd_mm"]["mean"] == pytest.approx(rows["assd_px"].iloc[0] / 2)
    assert "hd95_mm" in lungs["classes"]["a"] and "hd95_mm" not in lungs["classes"]["b"]


def test_structure_that_some_lack_is_scored_where_it_is():
    ((truth, predicted),) = masks_with(0.8)
    nothing = np.zeros_like(truth)
    items = [
        ({"case_id": "a", "label": "COVID", "fold": 0}, truth, predicted),
        ({"case_id": "b", "label": "Normal", "fold": 0}, nothing, nothing),
        ({"case_id": "c", "label": "Normal", "fold": 0}, nothing, predicted),
    ]
    summary = aggregate(score(items, ["infection"]), ["infection"], CONFIG)
    assert (summary["n_cases"], summary["failures"]) == (3, {"below_080": 0, "below_090": 1})
    scores = summary["structures"]["infection"]
    assert scores["n"] == 1
    assert scores["dice"]["mean"] == pytest.approx(0.8)
    assert list(scores["classes"]) == ["COVID"]
    assert scores["absent"] == {"n": 2, "false_positives": 1}
    with pytest.raises(ValueError, match="none of 2 cases has infection"):
        aggregate(score(items[1:], ["infection"]), ["infection"], CONFIG)


def test_cardiothoracic_ratios_are_compared():
    items = []
    for n, (true, found) in enumerate(((40, 44), (52, 49), (45, 45), (48, 0))):
        truth, predicted = (np.zeros((20, 120, 2), bool) for _ in range(2))
        truth[5:15, 10:110, 0] = predicted[5:15, 10:110, 0] = True  # 100 columns
        truth[8:12, 30 : 30 + true, 1] = predicted[8:12, 30 : 30 + found, 1] = True
        items.append(({"case_id": str(n), "label": "all", "fold": 0}, truth, predicted))
    rows = score(items, ["lungs", "heart"])
    hearts = rows[rows["structure"] == "heart"]
    np.testing.assert_allclose(hearts["truth_ctr"], [0.40, 0.52, 0.45, 0.48])
    assert np.isnan(hearts["predicted_ctr"].iloc[3])
    summary = aggregate(rows, ["lungs", "heart"], CONFIG)
    ctr, differences = summary["ctr"], [0.04, -0.03, 0]
    assert ctr["n"] == 3
    assert ctr["error"]["mean"] == pytest.approx(0.07 / 3)
    assert ctr["bias"]["mean"] == pytest.approx(0.01 / 3)
    spread = 1.96 * np.std(differences, ddof=1)
    assert ctr["limits"] == pytest.approx([0.01 / 3 - spread, 0.01 / 3 + spread])
    assert ctr["r"] == pytest.approx(np.corrcoef([0.40, 0.52, 0.45], [0.44, 0.49, 0.45])[0, 1])
    assert ctr["agree"] == pytest.approx(2 / 3)
    assert "truth_ctr" not in summary["structures"]["heart"]
    alone = [({"case_id": "a", "label": "all", "fold": 0}, *(mask[..., :1] for mask in items[0][1:]))]
    assert "ctr" not in aggregate(score(alone, ["lungs"]), ["lungs"], CONFIG)
