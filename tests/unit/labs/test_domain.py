"""Problems of the lab "Another hospital": a right answer gets nothing, each wrong one a sentence."""

import numpy as np
import pytest

from cxrseg.labs import domain


def mirror(image, mask, rng):
    return (image[:, ::-1], mask[:, ::-1]) if rng.random() < 0.5 else (image, mask)


def forgets_the_mask(image, mask, rng):
    return (image[:, ::-1] if rng.random() < 0.5 else image), mask


def throws_two_coins(image, mask, rng):
    return forgets_the_mask(image, mask, rng)[0], forgets_the_mask(mask, image, rng)[0]


def upside_down(image, mask, rng):
    return (image[::-1], mask[::-1]) if rng.random() < 0.5 else (image, mask)


def rarely(image, mask, rng):
    return (image[:, ::-1], mask[:, ::-1]) if rng.random() < 0.05 else (image, mask)


# At home 0.9; at the second hospital 0.5 without and 0.8 with gain: 0.3 of 0.4 were won back.
SCORES = {"nothing": [0.9, 0.5, 0.8, 0.8], "gain": [0.85, 0.8, 0.8, 0.7]}


@pytest.mark.parametrize(
    ("problem", "right", "wrong"),
    [
        (domain.power_that_brightens, [(0.5,), (1 / 2,)], [(2,), (1,), (-0.5,), (0.25,)]),
        (
            domain.mirrors,
            [(mirror,)],
            [
                (forgets_the_mask,),
                (throws_two_coins,),
                (upside_down,),
                (rarely,),
                (lambda i, m, r: (i[:, ::-1], m[:, ::-1]),),
                (lambda i, m, r: (i, m),),
                (lambda i, m, r: (i.T, m.T),),
                (lambda i, m, r: None,),
            ],
        ),
        (
            domain.forecast,
            [("gain", "noise", "turn"), ("gamma", "noise", "turn")],
            [("shift", "noise", "turn"), ("gain", "gamma", "turn"), ("gain", "noise", "shift"), ("gain", "noise", 1)],
        ),
        (domain.share_won, [(0.75, SCORES)], [(0.3, SCORES), (0.8 / 0.9, SCORES), (0, SCORES), (0.625, SCORES)]),
        (
            domain.ignores_exposure,
            [
                (lambda x: (x - x.mean()) / x.std(),),
                (lambda x: (x - x.min()) / (x.max() - x.min()),),
                (lambda x: (x - np.median(x)) / (x.max() - x.mean()),),
            ],
            [
                (lambda x: x - x.mean(),),
                (lambda x: x / x.std(),),
                (lambda x: x / x.mean(),),
                (lambda x: 0 * x,),
                (lambda x: x.mean(),),
                (lambda x: None,),
            ],
        ),
    ],
)
def test_problem(problem, right, wrong):
    assert [problem(*answers) for answers in right] == [""] * len(right)
    assert all(problem(*answers) for answers in wrong)
