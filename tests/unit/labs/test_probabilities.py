"""Problems of the lab "Believe the probabilities?": a right answer gets nothing, each wrong one a sentence."""

import numpy as np
import pytest
from scipy import ndimage

from cxrseg.labs import probabilities


def grow(mask, width):
    return ndimage.binary_dilation(mask, iterations=width)


def shrink(mask, width):
    return ndimage.binary_erosion(mask, iterations=width)


def ece(probability, truth, weigh=True, absolute=True, skip=True, last=True):
    bins = (probability * 10).astype(int)
    if last:
        bins = np.minimum(bins, 9)
    errors, weights = [], []
    for k in range(10):
        inside = bins == k
        if inside.any() or not skip:
            errors.append((probability[inside].sum() - truth[inside].sum()) / np.float64(inside.sum()))
            weights.append(inside.mean() if weigh else 0.1)
    return np.sum((np.abs(errors) if absolute else np.array(errors)) * weights)


def honest(validation, test):
    return test.mean(axis=0)[validation.mean(axis=0).argmax()]


@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize(
    ("problem", "right", "wrong"),
    [
        # 0.8 * 0.05 + 0.2 * 0.1 = 0.06.
        (probabilities.by_hand, [0.06], [0.075, 0.02, 0.1, 0.15, 6, 0.5]),
        (
            probabilities.ece,
            [ece],
            [
                lambda p, t: ece(p, t, weigh=False),
                lambda p, t: ece(p, t, absolute=False),
                lambda p, t: ece(p, t, skip=False),
                lambda p, t: ece(p, t, last=False),
                lambda p, t: abs(p - t).mean(),
                lambda p, t: None,
            ],
        ),
        (
            probabilities.near_outline,
            [lambda m, w: grow(m, w) & ~shrink(m, w), lambda m, w: grow(m, w) ^ shrink(m, w)],
            [
                lambda m, w: grow(m, w) & ~m,
                lambda m, w: m & ~shrink(m, w),
                lambda m, w: ~(grow(m, w) & ~shrink(m, w)),
                lambda m, w: grow(m, w),
                lambda m, w: grow(m, 1) & ~shrink(m, 1),
                lambda m, w: (grow(m, w) & ~shrink(m, w)).astype(int),
                lambda m, w: None,
            ],
        ),
        (
            probabilities.honest,
            [honest],
            [
                lambda v, t: t.mean(0).max(),
                lambda v, t: v.mean(0).max(),
                lambda v, t: t.max(1).mean(),
                lambda v, t: t.mean(),
                lambda v, t: t[:, v.argmax(1)].mean(),
                lambda v, t: t.mean(0)[0],
                lambda v, t: t.mean(0)[1],
                lambda v, t: t.mean(0)[2],
                lambda v, t: t[:, v.mean(0).argmax()],
                lambda v, t: None,
            ],
        ),
    ],
)
def test_problem(problem, right, wrong):
    assert [problem(answer) for answer in right] == [""] * len(right)
    for answer in wrong:
        assert problem(answer), wrong.index(answer)


def scored(temperature, seed, number=20_000):
    """Return scores that are too far from zero by a factor, and a truth that follows the probabilities."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 2, number)
    return z * temperature, rng.uniform(0, 1, number) < 1 / (1 + np.exp(-z))


def test_temperature():
    (z_val, y_val), (z_test, y_test) = scored(3, 0), scored(2, 1)
    candidates = np.arange(0.5, 6, 0.02)

    def best(z, y):
        return candidates[np.argmin([np.mean(np.logaddexp(0, z / t) - z / t * y) for t in candidates])]

    right, of_test = best(z_val, y_val), best(z_test, y_test)
    assert right == pytest.approx(3, abs=0.1) and of_test == pytest.approx(2, abs=0.1)
    assert probabilities.temperature(right, z_val, y_val, z_test, y_test) == ""
    for wrong in (of_test, 1 / right, 1, 2.5, 4, 0, -3):
        assert probabilities.temperature(wrong, z_val, y_val, z_test, y_test)


def test_doubt():
    # Ten films of a stripe 10 columns wide; the k-th finds k columns too few, and hesitates about these.
    truth = np.zeros((10, 4, 30), bool)
    truth[:, :, 10:20] = True
    probability = truth * 0.98
    for k in range(10):
        probability[k, :, 10 : 10 + k] = 0.4
    grey = ((probability > 0.1) & (probability < 0.9)).mean((1, 2))
    noisy = grey[[1, 0, 3, 2, 5, 4, 7, 6, 9, 8]]
    dice = 2 * (10 - np.arange(10)) / (20 - np.arange(10))
    assert probabilities.doubt(noisy, probability, truth) == ""
    for wrong in (-noisy, 1 - dice, np.zeros(10), np.arange(9), probability, np.full(10, np.nan), np.arange(10) % 2):
        assert probabilities.doubt(wrong, probability, truth)
