"""Problems of the lab "What the loss wants": a right answer gets nothing, each wrong one a sentence."""

import numpy as np
import pytest

from cxrseg.labs import loss


def smooth(truth, p):
    return 1 - (2 * np.vdot(truth, p) + 1) / (truth.sum() + p.sum() + 1)


# Ten films of two pixels. The structure has 0.3 in each, the rest 0.1.
TRUTH = np.tile([True, False], (10, 1, 1))
PROBABILITY = np.where(TRUTH, 0.3, 0.1)


@pytest.mark.parametrize(
    ("problem", "right", "wrong"),
    [
        (loss.best_constants, [(0.2, 1), (1 / 5, 1.0)], [(0.05, 1), (0.5, 1), (0.2, 0.2), (1, 0.2), (0, 1)]),
        (loss.slopes_of_entropy, [(-0.9, 0.1)], [(0.9, 0.1), (-0.9, -0.1), (-10, 1 / 0.9), (0.1, -0.9), (-0.9, 0.9)]),
        # C = 6, T = 30: in the disc -2 (30 - 6) / 900 = -0.0533, elsewhere 2 · 6 / 900 = 0.0133.
        (
            loss.slopes_of_dice,
            [(-48 / 900, 12 / 900)],
            [
                (48 / 900, -12 / 900),
                (-2 / 30, 0),
                (-48 / 900, 0),
                (-24 / 900, 6 / 900),
                (-48 / 900, 6 / 900),
                (-28 / 400, 12 / 400),
            ],
        ),
        (
            loss.bears_nothing,
            [(smooth,)],
            [
                (lambda t, p: 1 - smooth(t, p),),
                (lambda t, p: None,),
                (lambda t, p: 1 - 2 * np.vdot(t, p) / max(t.sum() + p.sum(), 1e-9),),
                (lambda t, p: 1 - 2 * np.vdot(t, p) / (t.sum() + p.sum() + 1),),
                (lambda t, p: 1 - (np.vdot(t, p) + 1) / (t.sum() + p.sum() + 1),),
                (lambda t, p: float("nan"),),
            ],
        ),
        (
            lambda threshold: loss.best_threshold(threshold, PROBABILITY, TRUTH),
            [(0.2,), (0.11,), (0.29,)],
            [(0.5,), (0.05,), (0,), (1,), (-3,), (0.3,)],
        ),
    ],
)
def test_problem(problem, right, wrong):
    assert [problem(*answers) for answers in right] == [""] * len(right)
    assert all(problem(*answers) for answers in wrong)


def test_a_threshold_is_told_where_to_go():
    assert "lower" in loss.best_threshold(0.5, PROBABILITY, TRUTH)
    assert "higher" in loss.best_threshold(0.05, PROBABILITY, TRUTH)


def test_half_of_the_dice_is_where_marking_begins_to_pay():
    """The slopes of Dice balance for a pixel that is disc with probability C / T, as the lab says."""
    chance, in_disc, elsewhere = 6 / 30, -48 / 900, 12 / 900
    assert chance * in_disc + (1 - chance) * elsewhere == pytest.approx(0)
    assert loss.slopes_of_dice(in_disc, elsewhere) == ""
