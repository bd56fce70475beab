"""Pictures side by side."""

import numpy as np

from cxrseg.labs import pictures


def test_each_picture_has_its_title_and_the_outlines_a_legend():
    mask = np.zeros((8, 8), bool)
    mask[2:6, 2:6] = True
    figure = pictures({str(k): mask for k in range(5)}, {"the mask": mask}, columns=4)
    assert [axis.get_title() for axis in figure.axes] == ["0", "1", "2", "3", "4", "", "", ""]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["the mask"]


def test_a_radiograph_is_shown_from_black_to_white():
    grey = np.full((8, 8), 100, np.uint8)
    (axis,) = pictures({"grey": grey}).axes
    assert axis.images[0].get_clim() == (0, 255)
