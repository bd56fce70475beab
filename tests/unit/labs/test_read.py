"""Films and problems of the lab "Read a chest X-ray"."""

import numpy as np
import pytest

from cxrseg.labs import read
from cxrseg.phantom import Phantom


def film():
    """Return a film of 12 pixels a side: two lungs from row 1 to row 9, a patch in the middle third of the right."""
    right, left, patch = (np.zeros((12, 12), bool) for _ in range(3))
    right[1:10, 1:5], left[1:10, 7:11], patch[4:6, 2:4] = True, True, True
    return Phantom(np.zeros((12, 12), np.uint8), right | left, patch, right, left, np.zeros((12, 12), bool))


AIR = np.array([[1, 2], [3, 2]], np.float32)
LUNGS = np.array([[False, True], [True, True]])


def linear(depth, level, width):
    return np.interp(depth, [level - width / 2, level + width / 2], [0, 1])


@pytest.mark.parametrize(
    ("problem", "right", "wrong"),
    [
        (read.share_through, [(0.25,)], [(0.125,), (0.75,), (0,), (1 / 3,), (25,)]),
        (
            read.window_of,
            [(linear,)],
            [
                (lambda d, level, width: (d - level) / width + 0.5,),
                (lambda d, level, width: np.clip((d - level) / width, 0, 1),),
                (lambda d, level, width: np.clip((d - level + width) / (2 * width), 0, 1),),
                (lambda d, level, width: None,),
                (lambda d, level, width: max(0, min(1, (d - level) / width + 0.5)),),
                (lambda d, level, width: linear(d, level, width).ravel(),),
            ],
        ),
        (read.turned_over, [("C",)], [("A",), ("c",), (3,)]),
        (
            lambda answer: read.air_outside(answer, AIR, LUNGS),
            [(1 / 8,)],
            [(7 / 8,), (1 / 7,), (1 / 4,), (0,)],
        ),
        (
            lambda row, column: read.on_the_patch(film(), row, column),
            [(4, 2), (5.2, 3)],
            [(2, 4), (4, 8), (9, 2), (1, 2), (4, 5), (4, 0), (40, 2), (-1, 0)],
        ),
        (
            lambda side, zone: read.side_and_zone(film(), side, zone),
            [("right", "middle")],
            [("left", "middle"), ("right", "upper"), ("right", "lower"), ("top", "middle"), (1, 2)],
        ),
    ],
)
def test_problem(problem, right, wrong):
    assert [problem(*answers) for answers in right] == [""] * len(right)
    assert all(problem(*answers) for answers in wrong)


def test_hints_point_to_the_patch():
    for row, column, word in ((9, 2, "up"), (1, 2, "down"), (4, 5, "left"), (4, 0, "right")):
        assert word in read.on_the_patch(film(), row, column)


def test_one_film_of_the_album_has_its_heart_on_the_wrong_side():
    for letter, number in zip("ABCD", (11, 7, 15, 19), strict=True):
        made = read.chest(number)
        assert np.array_equal(read.album()[letter], made.image) == (letter != "C")
        middle = np.nonzero(made.lungs)[1].mean()
        assert np.nonzero(made.heart)[1].mean() > middle + 2, "the heart tells left from right"


def test_steps_are_those_of_the_chest():
    steps, made = read.steps(8), read.chest(8)
    air = steps["soft tissue"] - steps["air in the lungs"]
    assert air[made.lungs].mean() > 10 * air[~made.lungs].mean()
    assert 0.05 < air[~made.lungs].sum() / air.sum() < 0.5


@pytest.mark.parametrize(("number", "strength", "height"), [(22, 0.4, 0.6), (12, 0.6, 0.22)])
def test_a_planted_patch_lies_in_one_lung(number, strength, height):
    made = read.sick(number, strength, height)
    assert made.infection.any()
    assert (made.infection & made.left_lung).any() != (made.infection & made.right_lung).any()
    assert not read.sick(number, 0.0, height).infection.any()
