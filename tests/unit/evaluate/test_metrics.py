"""Every metric against an oracle that is not ours, on random and adversarial pairs of masks."""

import doctest
import itertools

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, gaussian_filter
from scipy.spatial.distance import cdist
from skimage.measure import regionprops
from sklearn.metrics import accuracy_score, f1_score, jaccard_score, precision_score, recall_score

from cxrseg.evaluate import metrics


def adversarial(height=24, width=30):
    """Masks on one grid that break careless metrics."""
    y, x = np.mgrid[:height, :width]
    empty = np.zeros((height, width), bool)
    pixel, corner, row, hole = empty.copy(), empty.copy(), empty.copy(), ~empty
    pixel[11, 13] = corner[0, 0] = row[7] = True
    hole[9, 9] = False
    return {
        "empty": empty,
        "full": ~empty,
        "one pixel": pixel,
        "corner pixel": corner,
        "one row": row,
        "full but one": hole,
        "touches the border": (y > 15) & (x < 12),
        "last column": x == width - 1,
        "two components": ((y - 12) ** 2 + (x - 7) ** 2 < 25) | ((y - 11) ** 2 + (x - 22) ** 2 < 30),
        "ring": abs(np.hypot(y - 12, x - 15) - 8) < 1.5,
        "checkerboard": (x + y) % 2 == 0,
        "diagonal": x == y,
    }


def random_pairs(count=110, seed=7):
    """Blobs at many sizes and densities, the prediction sometimes a disturbed truth."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        shape = rng.integers(1, 60, size=2)
        noise = gaussian_filter(rng.standard_normal((3, *shape)), [0, *rng.uniform(0, 5, size=2)])
        truth, other, disturbance = noise > np.quantile(noise, rng.uniform(0, 1))
        yield truth, (truth ^ disturbance if rng.random() < 0.5 else other)


PAIRS = [*itertools.product(adversarial().values(), repeat=2), *random_pairs()]
COLUMNS = ["dice", "iou", "sensitivity", "precision", "specificity", "accuracy"]
COLUMNS += ["hd95_px", "assd_px", "nsd_1px", "nsd_2px", "nsd_3px"]
FILLED = [pair for pair in PAIRS if pair[0].any() and pair[1].any()]


def test_there_are_enough_pairs():
    assert len(FILLED) >= 200
    assert any(t.any() and not p.any() for t, p in PAIRS)


def test_overlap_equals_scikit_learn():
    for truth, prediction in PAIRS:
        t, p = truth.ravel(), prediction.ravel()
        rule = {"zero_division": float((t == p).all())}
        assert metrics.overlap(truth, prediction) == pytest.approx(
            {
                "dice": f1_score(t, p, **rule),
                "iou": jaccard_score(t, p, **rule),
                "sensitivity": recall_score(t, p, **rule),
                "precision": precision_score(t, p, **rule),
                "specificity": recall_score(t, p, pos_label=False, **rule),
                "accuracy": accuracy_score(t, p),
            },
            abs=1e-12,
        )


def test_distances_equal_every_pair_of_boundary_pixels():
    for truth, prediction in FILLED:
        table = cdist(*(np.argwhere(m & ~binary_erosion(m)) for m in (truth, prediction)))
        pooled = np.concatenate([table.min(axis=0), table.min(axis=1)])
        row = metrics.all_metrics(truth, prediction)
        assert row["hd95_px"] == pytest.approx(np.percentile(pooled, 95), abs=1e-9)
        assert row["assd_px"] == pytest.approx(pooled.mean(), abs=1e-9)


def test_millimetres_equal_every_pair_of_boundary_pixels():
    for n, (truth, prediction) in enumerate(FILLED):
        spacing = ((0.2, 0.2), (0.14, 0.9), (2.5, 0.3))[n % 3]
        table = cdist(*(np.argwhere(m & ~binary_erosion(m)) * spacing for m in (truth, prediction)))
        pooled = np.concatenate([table.min(axis=0), table.min(axis=1)])
        row = metrics.distances_mm(truth, prediction, spacing)
        assert row["hd95_mm"] == pytest.approx(np.percentile(pooled, 95), abs=1e-9)
        assert row["assd_mm"] == pytest.approx(pooled.mean(), abs=1e-9)


def test_height_equals_that_of_scikit_images_box():
    for truth, _ in FILLED:
        ((top, _, bottom, _),) = [region.bbox for region in regionprops(truth.astype(np.uint8))]
        assert metrics.height(truth) == bottom - top
    assert metrics.height(np.zeros((30, 40), bool)) == 30


def test_distances_equal_medpy():
    binary = pytest.importorskip("medpy.metric.binary", reason="MedPy is in the benchmark extra only")
    for truth, prediction in FILLED:
        row = metrics.all_metrics(truth, prediction)
        expected = [f(prediction, truth) for f in (binary.hd95, binary.assd)]
        assert [row["hd95_px"], row["assd_px"]] == pytest.approx(expected, abs=1e-9)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # surface-distance calls old SciPy names
def test_nsd_equals_surface_distance():
    oracle = pytest.importorskip("surface_distance")
    for truth, prediction in FILLED:
        distances = oracle.compute_surface_distances(truth, prediction, (1, 1))
        row = metrics.all_metrics(truth, prediction)
        for tolerance in metrics.TOLERANCES:
            expected = oracle.compute_surface_dice_at_tolerance(distances, tolerance)
            assert row[f"nsd_{tolerance}px"] == pytest.approx(expected, abs=1e-12)


def test_a_square_moved_by_one_pixel():
    truth = np.zeros((8, 8), bool)
    truth[2:6, 2:6] = True
    row = metrics.all_metrics(truth, np.roll(truth, 1, axis=1))
    # 12 of 16 pixels shared; of 12 boundary pixels a side, the 4 left behind and 2 of the far side are 1 off
    assert row["dice"] == 0.75 and row["iou"] == 0.6
    assert row["hd95_px"] == 1 and row["assd_px"] == 0.5
    assert row["nsd_1px"] == 1


def test_two_pixels_three_apart():
    truth = np.zeros((9, 9), bool)
    truth[4, 2] = True
    prediction = np.roll(truth, 3, axis=1)
    # each contour is a diamond through four corners; the near pair is 2 from the other, the far pair 3
    row = metrics.all_metrics(truth, prediction)
    assert (row["hd95_px"], row["assd_px"]) == (3, 3)
    assert (row["nsd_1px"], row["nsd_2px"], row["nsd_3px"]) == pytest.approx((0, 0.5, 1))


def test_empty_masks_have_the_stated_values():
    empty, some = np.zeros((30, 40), bool), np.zeros((30, 40), bool)
    some[10:20, 10:20] = True
    both = metrics.all_metrics(empty, empty)
    assert {k for k, v in both.items() if v == 0} == {"hd95_px", "assd_px"}
    assert all(v == 1 for k, v in both.items() if not k.startswith(("hd95", "assd")))
    for truth, prediction in ((empty, some), (some, empty)):
        row = metrics.all_metrics(truth, prediction)
        assert row["hd95_px"] == row["assd_px"] == 50
        assert all(row[k] == 0 for k in row if k.startswith(("dice", "iou", "sens", "prec", "nsd")))
        assert row["accuracy"] == pytest.approx(1100 / 1200)
        assert metrics.distances_mm(truth, prediction, (2, 1)) == {
            "hd95_mm": np.hypot(60, 40),
            "assd_mm": np.hypot(60, 40),
        }
        assert row["specificity"] == (1 if truth.any() else pytest.approx(1100 / 1200))


def test_rows_are_finite_floats_in_range_and_symmetric():
    swapped = {"sensitivity": "precision", "precision": "sensitivity"}
    for truth, prediction in PAIRS:
        there, back = metrics.all_metrics(truth, prediction), metrics.all_metrics(prediction, truth)
        assert list(there) == COLUMNS
        assert all(type(v) is float and np.isfinite(v) and v >= 0 for v in there.values())
        assert all(there[k] <= (np.hypot(*truth.shape) if k in ("hd95_px", "assd_px") else 1) for k in there)
        assert there["iou"] == pytest.approx(there["dice"] / (2 - there["dice"]))
        assert there["nsd_1px"] <= there["nsd_2px"] <= there["nsd_3px"]
        for key in there.keys() - {"specificity"}:
            assert there[key] == pytest.approx(back[swapped.get(key, key)])


def test_soft_dice_is_of_the_batch_not_of_the_images():
    truth = np.zeros((2, 10, 10), np.uint8)
    truth[0], truth[1, 0, 0] = 1, 1
    probability = np.zeros((2, 10, 10), np.float32)
    probability[0] = 0.5
    # 50 shared of 101 and 50, one added above and below; the lung missed in the second image hardly shows
    assert metrics.soft_dice_batch(truth, probability) == pytest.approx(101 / 152)
    assert metrics.soft_dice_batch(truth, truth) == 1
    assert metrics.soft_dice_batch(0 * truth, 0 * truth) == 1
    with pytest.raises(ValueError, match="one shape"):
        metrics.soft_dice_batch(truth, probability[0])


@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [
        (np.zeros((4, 4), np.uint8), np.zeros((4, 4), bool), "truth must be a boolean .* uint8"),
        (np.zeros((4, 4), bool), np.zeros((4, 4)), "prediction must be a boolean .* float64"),
        (np.zeros((4, 4), bool), np.zeros((4, 5), bool), r"one shape, not \(4, 4\) and \(4, 5\)"),
        (np.zeros((4, 4, 1), bool), np.zeros((4, 4, 1), bool), r"shape \(4, 4, 1\)"),
        (np.zeros((0, 4), bool), np.zeros((0, 4), bool), r"shape \(0, 4\)"),
    ],
)
def test_refuses_what_is_not_a_pair_of_masks(truth, prediction, message):
    for metric in (metrics.all_metrics, metrics.overlap):
        with pytest.raises(ValueError, match=message):
            metric(truth, prediction)


def test_examples_in_the_docstrings():
    assert doctest.testmod(metrics).failed == 0
