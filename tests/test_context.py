"""What a pixel costs, and what two people agree on."""

import numpy as np
import pytest
from skimage.morphology import isotropic_dilation, isotropic_erosion

from cxrseg import context
from cxrseg.metrics import overlap


def square(side, size=40, at=10):
    mask = np.zeros((size, size), bool)
    mask[at : at + side, at : at + side] = True
    return mask


def test_bands_of_squares_by_hand():
    summary = context.summarise([square(10), square(20)])
    # one pixel in: 8 x 8 of 10 x 10, 18 x 18 of 20 x 20; out: a row on each side, the corners sqrt(2) away
    assert summary["1px"]["too_small"] == pytest.approx((2 * 64 / 164 + 2 * 324 / 724) / 2)
    assert summary["1px"]["too_large"] == pytest.approx((2 * 100 / 240 + 2 * 400 / 880) / 2)
    assert summary["2px"]["too_small"] == pytest.approx((2 * 36 / 136 + 2 * 256 / 656) / 2)
    assert summary["1px"]["n"] == summary["2px"]["n"] == 2


@pytest.mark.parametrize("at", [0, 1, 30])
def test_looking_only_near_the_mask_changes_nothing(at):
    mask = square(10, at=at)  # in a corner, beside it, in the other corner
    mask[20, 20] = True
    expected = [
        tuple(overlap(mask, drawn(mask, pixels))["dice"] for drawn in (isotropic_erosion, isotropic_dilation))
        for pixels in (1, 2)
    ]
    assert context._bands(mask) == expected
    assert context._bands(np.ones((9, 9), bool)) == [(1, 1), (1, 1)]


def test_empty_masks_are_not_counted_as_perfect():
    assert context.summarise([square(10), np.zeros((40, 40), bool)]) == context.summarise([square(10)])
    assert context.summarise([np.zeros((40, 40), bool)]) == {}


def test_dice_and_overlap_say_the_same():
    a, b = square(10), square(10, at=12)
    iou = (a & b).sum() / (a | b).sum()
    assert context.dice_of_iou(iou) == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))
    assert context.dice_of_iou(context.SECOND_OBSERVER_IOU) == pytest.approx(0.9722, abs=1e-4)
