"""Masks that belong to other pictures are doubted, others are not."""

import numpy as np
import pytest

from cxrseg.phantom import LABELS, phantom
from cxrseg.segment import agreement

MADE = [phantom(5, k, LABELS[k % 3], 128) for k in range(9)]
IMAGES = [made.image for made in MADE]
MASKS = [made.lungs for made in MADE]


def test_right_masks_are_not_doubted():
    assert agreement.doubt(zip(IMAGES, MASKS, strict=True)) == ""
    assert agreement.doubt([]) == ""


@pytest.mark.parametrize("change", [lambda mask: mask[::-1], lambda mask: ~mask, lambda mask: mask.T])
def test_masks_in_another_orientation_are_doubted(change):
    assert "disagree grossly" in agreement.doubt(zip(IMAGES, map(change, MASKS), strict=True))


def test_a_few_wrong_masks_are_no_reason():
    masks = [np.roll(mask, 60, axis=0) if k < 3 else mask for k, mask in enumerate(MASKS)]
    assert agreement.doubt(zip(IMAGES, masks, strict=True)) == ""


def test_cases_are_spread_over_the_dataset():
    assert agreement.spread(5).tolist() == [0, 1, 2, 3, 4]
    many = agreement.spread(1000)
    assert len(many) == agreement.CASES and many[0] == 0 and many[-1] == 999
