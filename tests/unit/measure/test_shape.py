"""Shape of a pair of lung fields."""

import numpy as np
import pytest

from cxrseg.measure.shape import lung_shape


def test_lung_shape_of_two_rectangles():
    mask = np.zeros((100, 200), bool)
    mask[10:60, 20:60] = True
    mask[10:50, 120:170] = True
    shape = lung_shape(mask)
    assert shape.area == pytest.approx((50 * 40 + 40 * 50) / 20000)
    assert shape.right_to_left == pytest.approx(1.0)
    assert shape.height_to_width == pytest.approx(50 / 150)
    assert shape.apex == pytest.approx(0.1)
    assert shape.diaphragm == pytest.approx((0.6 + 0.5) / 2)


def test_lung_shape_refuses_what_has_no_two_sides():
    with pytest.raises(ValueError, match="some lung"):
        lung_shape(np.zeros((8, 8), bool))
    single = np.zeros((8, 8), bool)
    single[:, 3] = True
    with pytest.raises(ValueError, match="both sides"):
        lung_shape(single)
