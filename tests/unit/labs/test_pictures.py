"""Films to work on, and pictures side by side."""

import numpy as np

from cxrseg.labs import films, pictures
from cxrseg.phantom import phantom


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


def test_films_are_of_the_classes_by_turns_and_of_other_patients_by_the_seed():
    images, lungs = films(3, 4, 32, labels=("Normal", "COVID"))
    for k, label in enumerate(("Normal", "COVID") * 2):
        drawn = phantom(3, k, label, 32)
        assert np.array_equal(images[k] * 255, drawn.image) and np.array_equal(lungs[k], drawn.lungs)
    assert images.min() >= 0 and images.max() <= 1
    assert not np.array_equal(images, films(4, 4, 32, labels=("Normal", "COVID"))[0])
