"""The predicted Dice: each measure by hand, its bounds, and what it must say of good and broken predictions."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.ndimage import gaussian_filter, maximum_filter

from cxrseg.evaluate import quality
from cxrseg.phantom import phantom

SIDE = 128
CASE = phantom(5, 1, "Normal", SIDE)


def soft(mask, blur=1.0):
    return gaussian_filter(mask.astype(float), blur)


def two_bars():
    """Two upright bars, 40 x 20 and 40 x 10, and a stray square of 25 pixels; dark on bright."""
    mask = np.zeros((100, 100), bool)
    mask[30:70, 20:40] = mask[30:70, 60:70] = True
    mask[5:10, 80:85] = True
    return mask, np.where(mask, 50, 152).astype(np.uint8)


def test_features_by_hand():
    mask, image = two_bars()
    probability = np.where(mask, 0.9, 0.0)
    probability[80:85, 20:24] = 0.4  # joins at 0.3, the lowered threshold
    found = quality.features(probability, image)
    area = 40 * 30 + 25
    assert found["stability"] == pytest.approx(-np.log(1.01 - 2 * area / (2 * area + 20)))
    assert found["stray"] == pytest.approx(25 / area)
    assert found["balance"] == pytest.approx((400 + 25) / 800)
    assert found["contrast"] == found["edge_contrast"] == pytest.approx((152 - 50) / 255)
    assert found["edge_agreement"] == 1
    assert quality.features(probability, 255 - image)["edge_agreement"] == 0


def test_edges_disagree_where_a_mask_lies_beside_the_lungs():
    mask, image = two_bars()
    beside = np.roll(mask, 6, axis=1)
    assert quality.features(beside * 0.9, image)["edge_agreement"] < 0.8


def test_the_surroundings_are_a_narrow_ring():
    mask, image = two_bars()
    near = np.zeros_like(mask)
    near[25:75, 15:45] = True  # five pixels around the larger bar, a twentieth of 100, by its sides
    image = np.where(near & ~mask, 203, image).astype(np.uint8)
    found = quality.features(np.where(mask, 0.9, 0.0), image)
    assert 0.4 < found["contrast"] < found["edge_contrast"] < 0.6


def test_shape_agrees_with_itself_at_any_size():
    mask, _ = two_bars()
    coarse = quality.shape(mask)
    assert coarse.shape == (16, 16) and coarse.max() == 1 and coarse.min() == 0
    assert quality.shape(np.kron(mask, np.ones((4, 4))) > 0) == pytest.approx(coarse, abs=0.2)
    blocks = np.random.default_rng(0).random((48, 64)) > 0.5
    assert quality.shape(blocks) == pytest.approx(blocks.reshape(16, 3, 16, 4).mean(axis=(1, 3)))


def test_good_lungs_are_promised_more_than_broken_ones():
    good = quality.predict(soft(CASE.lungs), CASE.image)
    assert good > 0.9
    one = soft(CASE.lungs)
    one[:, : SIDE // 2] = 0
    broken = {
        "one lung": (one, CASE.image),
        "unsure": (0.3 * soft(CASE.lungs) + 0.3, CASE.image),
        "beside the lungs": (np.roll(soft(CASE.lungs), SIDE // 4, axis=1), CASE.image),
        "everything": (np.ones((SIDE, SIDE)), CASE.image),
        "swollen": (maximum_filter(soft(CASE.lungs), SIDE // 4), CASE.image),
        "noise": (np.random.default_rng(0).random((SIDE, SIDE)), CASE.image),
    }
    for name, case in broken.items():
        assert quality.predict(*case) < good - 0.05, name


def test_another_mean_shape_changes_the_agreement_with_it_alone():
    usual = quality.features(soft(CASE.lungs), CASE.image)
    assert quality.features(soft(CASE.lungs), CASE.image, mean_shape=quality.model()["mean_shape"]) == usual
    own = quality.features(soft(CASE.lungs), CASE.image, mean_shape=100 * quality.shape(soft(CASE.lungs) >= 0.5))
    assert own["shape"] == pytest.approx(0)
    assert usual["shape"] < 0
    assert own | {"shape": usual["shape"]} == usual


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_nothing_and_everything_have_a_score(level):
    score = quality.predict(np.full((64, 64), level), np.zeros((64, 64), np.uint8))
    assert 0 <= score < 0.8
    assert (score == 0) == (level < 0.5)


def test_the_grid_hardly_matters():
    large = phantom(5, 1, "Normal", 2 * SIDE)
    scores = [quality.predict(soft(case.lungs, case.lungs.shape[0] / 100), case.image) for case in (CASE, large)]
    assert scores[0] == pytest.approx(scores[1], abs=0.03)


def test_arrays_of_two_shapes_are_refused():
    for probability in (np.zeros((4, 4)), np.ones((4, 4))):
        with pytest.raises(ValueError, match=r"must be \(H, W\)"):
            quality.predict(probability, np.zeros((5, 4), np.uint8))


def test_committed_model_is_whole():
    model = quality.model()
    assert set(model["weights"]) == {*quality.FEATURES, "bias"}
    assert np.array(model["mean_shape"]).shape == (quality.GRID, quality.GRID)
    # Steadier, more lung-like, better balanced, darker than around and in fewer pieces must never be worse.
    assert all(
        model["weights"][name] > 0 for name in ("stability", "shape", "balance", "edge_contrast", "edge_agreement")
    )
    assert model["weights"]["stray"] < 0


def test_judgement_by_hand():
    dice = np.array([0.95, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.5, 0.6])
    result = quality.judge(dice - 0.1, dice)
    assert result["r"] == pytest.approx(1)
    assert result["mae"] == pytest.approx(0.1)
    assert result["mae_constant"] == pytest.approx((0.05 + 0.4 + 0.3) / 10)
    assert result["mae_ratio"] == pytest.approx(0.1 / 0.075)
    assert result["failed"] == 0.2
    assert result["worst_tenth_finds"] == 0.5  # one place for two failures
    perfect = np.full(5, 0.9)
    assert quality.judge(perfect, perfect) == {
        "n": 5, "r": 0, "mae": 0, "mae_constant": 0, "mae_ratio": 0, "failed": 0, "worst_tenth_finds": 1,
    }  # fmt: skip


@pytest.mark.parametrize("steps", [1, 6, 13])
def test_growing_goes_by_steps_along_rows_and_columns(steps):
    mask = np.random.default_rng(steps).random((60, 47)) > 0.99
    np.testing.assert_array_equal(
        quality._grown(mask, steps), ndimage.distance_transform_cdt(~mask, "taxicab") <= steps
    )
