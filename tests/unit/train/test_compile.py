"""Losses and metrics against other libraries and by hand."""

import keras
import numpy as np
import pytest

from cxrseg.train.compile import cross_entropy_dice, dice


def test_dice_agrees_with_scikit_learn():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    truth = (rng.random((6, 9, 9, 2)) > 0.6).astype(np.float32)
    probability = rng.random((6, 9, 9, 2)).astype(np.float32)
    found = keras.ops.convert_to_numpy(dice(truth, probability))
    expected = [
        np.mean([f1_score(t[..., k].ravel(), p[..., k].ravel() >= 0.5) for k in range(2)])
        for t, p in zip(truth, probability, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert float(dice(truth[:1] * 0, probability[:1] * 0)[0]) == 1


def test_cross_entropy_dice_by_hand():
    truth = np.zeros((1, 2, 2, 1), np.float32)
    truth[0, 0] = 1
    probability = np.array([0.9, 0.6, 0.2, 0.1], np.float32).reshape(1, 2, 2, 1)
    entropy = -(np.log(0.9) + np.log(0.6) + np.log(0.8) + np.log(0.9)) / 4
    soft = (2 * (0.9 + 0.6) + 1) / (2 + 1.8 + 1)
    assert float(cross_entropy_dice(truth, probability)[0]) == pytest.approx(entropy + 1 - soft, rel=1e-5)
