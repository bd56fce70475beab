"""From levels to masks."""

import numpy as np
from scipy import ndimage

from cxrseg.evaluate.masks import to_levels, to_masks


def test_levels_keep_the_threshold():
    for threshold in (0.5, 0.3, 0.77):
        probability = np.linspace(0, 1, 256 * 4 + 1)
        kept = to_levels(probability) >= threshold * 255
        assert (kept == (probability >= threshold))[np.abs(probability - threshold) > 0.5 / 255].all()
    assert (to_levels(np.array([0.5, 0.4999])) >= 0.5 * 255).tolist() == [True, False]


def test_largest_pieces_are_kept_and_filled():
    levels = np.zeros((40, 60, 2), np.uint8)
    levels[5:35, 5:20, 0] = 200  # a lung, with a hole
    levels[15:18, 10:13, 0] = 0
    levels[5:30, 35:50, 0] = 200  # the other
    levels[0:4, 55:59, 0] = 200  # a speck
    levels[36:39, 5:20, 0] = 255  # a band below: the third piece
    levels[1, 1, 1] = 255
    kept = to_masks(levels, 0.5, pieces=2)
    by_hand = np.zeros((40, 60), bool)
    by_hand[5:35, 5:20] = by_hand[5:30, 35:50] = True
    np.testing.assert_array_equal(kept[..., 0], by_hand)
    assert kept[1, 1, 1], "other structures stay as they are"
    assert to_masks(levels, 0.5)[..., 0].sum() == (levels[..., 0] > 0).sum()
    assert not to_masks(levels * 0, 0.5, pieces=2).any()
    lone = to_masks(levels[:, :25], 0.5, pieces=2)
    np.testing.assert_array_equal(lone[..., 0][36:39, 5:20], True)


def test_a_crumb_is_no_second_lung():
    levels = np.zeros((30, 30, 1), np.uint8)
    levels[5:25, 5:15] = levels[2:5, 25:28] = 255
    assert to_masks(levels, 0.5, pieces=2).sum() == 200


def test_pieces_and_holes_are_those_of_scipy():
    noise = np.random.default_rng(3).random((80, 70))
    mask = ndimage.gaussian_filter(noise, 2) > 0.5
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    largest = np.isin(labels, 1 + np.argsort(-sizes, kind="stable")[:2])
    assert len(np.unique(np.sort(sizes)[-3:])) == 3, "the test needs pieces of different sizes"
    found = to_masks(mask[..., None] * np.uint8(255), 0.5, pieces=2)[..., 0]
    np.testing.assert_array_equal(found, ndimage.binary_fill_holes(largest))


def test_each_organ_keeps_one_piece_and_lungs_are_the_union_of_both_sides():
    levels = np.zeros((40, 40, 4), np.uint8)
    right, left, heart = np.s_[5:30, 3:12, 1], np.s_[5:30, 28:37, 2], np.s_[20:32, 15:25, 3]
    for place in (right, left, heart):
        levels[place] = 255
    levels[36:39, 20:24, 1] = levels[1:3, 20:26, 3] = 255  # leaks of the right lung and of the heart
    levels[..., 0] = levels[..., 1:3].max(axis=-1)
    expected = np.zeros((40, 40, 4), bool)
    for place in (right, left, heart):
        expected[place] = True
    expected[..., 0] = expected[..., 1] | expected[..., 2]
    structures = ["lungs", "right_lung", "left_lung", "heart"]
    np.testing.assert_array_equal(to_masks(levels, 0.5, 2, structures), expected)
    np.testing.assert_array_equal(to_masks(levels, 0.5, 0, structures), levels > 0)


def test_an_infection_keeps_all_its_pieces():
    levels = np.zeros((20, 20, 2), np.uint8)
    levels[2:18, 2:18, 0] = 255
    levels[3:5, 3:5, 1] = levels[8:10, 8:10, 1] = levels[14:16, 3:5, 1] = 255
    np.testing.assert_array_equal(to_masks(levels, 0.5, 2, ["lungs", "infection"]), levels > 0)
