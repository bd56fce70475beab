"""Problems of the lab "From mask to measurement": a right answer gets nothing, each wrong one a sentence."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from cxrseg.labs import measurement

TRUTH = np.array([0.40, 0.45, 0.50, 0.55])
FOUND = np.array([0.41, 0.48, 0.49, 0.56])
# The differences have the mean 0.01; their squared distances from it sum to 0.0008, over 3 is 0.0002667, whose root is
# 0.016330; times 1.96 is 0.032007.
BIAS, LOWER, UPPER = 0.01, -0.022007, 0.042007


def width(mask):
    columns = np.flatnonzero(mask.any(axis=0))
    return columns[-1] - columns[0] + 1


def cardiothoracic(heart, lungs):
    return width(heart) / width(lungs) if heart.any() and lungs.any() else None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda heart, lungs: None,
        lambda heart, lungs: width(heart) / width(lungs),
        lambda heart, lungs: cardiothoracic(lungs, heart),
        lambda heart, lungs: heart.sum() / lungs.sum(),
        lambda heart, lungs: (width(heart) - 1) / (width(lungs) - 1),
        lambda heart, lungs: cardiothoracic(heart.T, lungs.T),
        lambda heart, lungs: heart.any(axis=0).sum() / lungs.any(axis=0).sum(),
        lambda heart, lungs: heart.sum(axis=1).max() / width(lungs),
        lambda heart, lungs: cardiothoracic(heart, lungs) or 0,
        lambda heart, lungs: 6 / 13,
    ],
)
def test_cardiothoracic(wrong):
    assert measurement.cardiothoracic(cardiothoracic) == ""
    assert measurement.cardiothoracic(wrong)


def test_hidden():
    heart, lungs = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    heart[5:35, 15:45] = heart[18:20, 14:46] = True  # 32 of 60 columns: 0.533
    lungs[:, 0] = lungs[:, 59] = True
    narrow = heart.copy()
    narrow[:, [14, 15, 45]] = False  # 29 of 60 columns, 0.483; Dice 2 * 870 / (870 + 904) = 0.98
    assert measurement.hidden(narrow, heart, lungs) == ""
    thin = heart.copy()
    thin[:, :20] = False  # Dice 0.91
    for wrong in (heart, thin, heart & False, heart.astype(int), -12345.5, narrow[:30]):
        assert measurement.hidden(wrong, heart, lungs)
    same = heart
    same[:, [14, 15, 45]] = False  # so narrow that it would be right, and still equal to the heart
    assert measurement.hidden(same, heart, lungs)


@pytest.mark.parametrize(
    ("problem", "right", "wrong"),
    [
        # 1.4 mm a pixel: 1.96 mm2, times 16,000.
        (measurement.area, [(31_360,)], [(490,), (22_400,), (2_800,), (3_920,), (313.6,), (7.656,), (16_000,)]),
        (
            measurement.limits_of_five,
            # The root of 0.001 / 4 is 0.015811, times 1.96 is 0.030990; with 5 in place of 4, 0.027718.
            [(0.01, -0.02099, 0.04099), (0.01, -0.021, 0.041)],
            [
                (0.014, -0.021, 0.041),
                (0.01, -0.01772, 0.03772),
                (0.01, -0.00386, 0.02386),
                (0.01, -0.00581, 0.02581),
                (0.01, 0.041, -0.021),
                (0.01, -0.031, 0.031),
            ],
        ),
        (
            measurement.grey_zone,
            [(0.5 + UPPER, 0.5 + LOWER, TRUTH, FOUND)],
            [
                (0.5, 0.5, TRUTH, FOUND),
                (0.51, 0.51, TRUTH, FOUND),
                (0.532007, 0.467993, TRUTH, FOUND),
                (0.522007, 0.457993, TRUTH, FOUND),
                (0.5 + LOWER, 0.5 + UPPER, TRUTH, FOUND),
            ],
        ),
    ],
)
def test_problem(problem, right, wrong):
    assert [problem(*answers) for answers in right] == [""] * len(right)
    assert all(problem(*answers) for answers in wrong)


def plot(across, up, lines, labels=True):
    axis = plt.figure().add_subplot()
    axis.scatter(across, up)
    for line in lines:
        axis.axhline(line)
    if labels:
        axis.set(xlabel="mean", ylabel="difference")
    return axis


def test_bland_altman():
    mean, difference, lines = (TRUTH + FOUND) / 2, FOUND - TRUTH, (BIAS, LOWER, UPPER)
    right = [plot(mean, difference, lines), plot(mean, difference, (*lines, 0))]
    wrong = [
        plot([], [], lines),
        plot(mean, difference, ()),
        plot(TRUTH, difference, lines),
        plot(mean, -difference, lines),
        plot(mean, FOUND, lines),
        plot(mean[1:], difference[1:], lines),
        plot(mean, difference, (BIAS, BIAS - 0.016330, BIAS + 0.016330)),
        plot(mean, difference, (0, BIAS)),
        plot(mean, difference, lines, labels=False),
        plt.figure().add_subplot(),
        "a plot",
    ]
    assert [measurement.bland_altman(axis, TRUTH, FOUND) for axis in right] == ["", ""]
    assert all(measurement.bland_altman(axis, TRUTH, FOUND) for axis in wrong)
    plt.close("all")
