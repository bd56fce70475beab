"""Problems of the lab "What a score sees": a right answer gets nothing, each wrong one a sentence."""

import numpy as np
import pytest

from cxrseg.labs import scores


def iou(a, b):
    return (a & b).sum() / (a | b).sum() if (a | b).any() else 1


@pytest.mark.parametrize(
    ("problem", "right", "wrong"),
    [
        (scores.dice_of_counts, [(0.8,), (160 / 200,)], [(2 / 3,), (0.4,), (0.72,)]),
        (scores.iou_from_dice, [(lambda d: d / (2 - d),)], [(lambda d: d / 2,), (lambda d: None,), (lambda d: d,)]),
        (scores.most_noticed, [("a stray piece",)], [("thin",), ("stray",), (1,)]),
        # One pixel around a disc of 15 pixels: 1 - 2·225 / (225 + 256) = 0.064; of 9: 1 - 2·81 / (81 + 100) = 0.105.
        (scores.small_is_hard, [(9,)], [(8,), (10,), (1000,), (0,)]),
        (scores.both_means, [(0.5, 2000 / 2010)], [(0.5, 0.5), (2000 / 2010, 0.5), (1, 1)]),
        (
            scores.handles_nothing,
            [(lambda a, b: 2 * (a & b).sum() / (a.sum() + b.sum()) if (a | b).any() else 1,)],
            [(lambda a, b: 1.0,), (lambda a, b: None,), (lambda a, b: float((a & b).any()),), (iou,)],
        ),
    ],
)
def test_problem(problem, right, wrong):
    assert [problem(*answers) for answers in right] == [""] * len(right)
    assert all(problem(*answers) for answers in wrong)


def test_the_empty_case_is_not_right_by_ignoring_half_of_it():
    def forgets_empty_prediction(truth, found):
        return 1.0 if not truth.any() else float(np.array_equal(truth, found))

    assert scores.handles_nothing(forgets_empty_prediction)
