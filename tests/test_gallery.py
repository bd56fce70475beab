"""The pictures of the chapter on phantoms."""

import numpy as np
import pytest
from PIL import Image

from cxrseg import gallery, network
from cxrseg.phantom import phantom
from cxrseg.phantom.distributions import Always
from cxrseg.phantom.parameters import SETTINGS, varied


def test_every_picture_is_drawn(tmp_path):
    gallery.draw(tmp_path / "phantom")
    assert {file.name for file in (tmp_path / "phantom").iterdir()} == {f"{name}.png" for name in gallery.PICTURES}
    for file in (tmp_path / "phantom").iterdir():
        picture = np.asarray(Image.open(file).convert("L"))
        assert picture.shape[1] > 700 and picture.std() > 20, f"{file.name} is blank"


def test_what_is_varied_differs_and_nothing_else(monkeypatch):
    changed = varied("realistic", {"pose": {"tilt": Always(14.0)}})
    assert changed["pose"]["tilt"] == Always(14.0) != SETTINGS["realistic"]["pose"]["tilt"]
    assert {part for part in changed if changed[part] != SETTINGS["realistic"][part]} == {"pose"}
    with pytest.raises(KeyError, match="'pose' of the phantom has no tillt"):
        varied("realistic", {"pose": {"tillt": Always(14.0)}})


@pytest.mark.parametrize("name", gallery.FAILURES)
def test_failures_are_made_with_the_trouble_that_they_are_named_after(name):
    made, mask = gallery.failure(network.load(), name)
    plain = phantom(gallery.SEED, 1, "Normal", gallery.SIZE)
    assert made.lungs.any() and mask.shape == made.lungs.shape
    inside = made.image[made.lungs].astype(float)
    if name == "A white lung":
        left, right = made.lungs[:, :128], made.lungs[:, 128:]
        sides = sorted((made.image[:, :128][left].mean(), made.image[:, 128:][right].mean()))
        assert sides[1] > 1.5 * sides[0]
    elif name == "A small chest in a wide field":
        assert made.lungs.mean() < 0.5 * plain.lungs.mean()
    assert inside.std() > 5
