"""The pictures of the chapter on phantoms, and the charts of all."""

import re

import numpy as np
import pytest
from PIL import Image
from support import load_script

from cxrseg import load_model
from cxrseg.phantom import phantom
from cxrseg.phantom.parameters import SETTINGS, varied
from cxrseg.phantom.parameters.distributions import Always

gallery = load_script("book/figures/phantom.py")
SCRIPTS = [load_script(f"book/figures/{name}.py") for name in ("charts", "results")]


@pytest.mark.book
def test_every_picture_is_drawn(checkout, html):
    pictures = checkout / "book" / "executed" / "phantom"
    assert {file.name for file in pictures.iterdir()} == {f"{name}.png" for name in gallery.PICTURES}
    for file in pictures.iterdir():
        picture = np.asarray(Image.open(file).convert("L"))
        assert picture.shape[1] > 700 and picture.std() > 20, f"{file.name} is blank"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_every_chart_is_drawn(script, tmp_path):
    script.write(tmp_path, script.CHARTS)
    assert {file.stem for file in tmp_path.iterdir()} == set(script.CHARTS)
    for file in tmp_path.iterdir():
        picture = np.asarray(Image.open(file).convert("L"))
        assert picture.shape[1] > 700 and picture.std() > 10, f"{file.name} is blank"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_charts_label_their_axes(script):
    for name, chart in script.CHARTS.items():
        axes = chart().axes
        for axis in axes:
            assert axis.get_xlabel(), f"{name} has an axis without a label"
        # Charts in a row share the label of the first; words at the ticks need none.
        ticks = [label.get_text() for label in axes[0].get_yticklabels()]
        words = axes[0].get_ylabel() or (ticks and all(re.search("[A-Za-z]", tick) for tick in ticks))
        assert words, f"{name} has numbers without a label"


def test_what_is_varied_differs_and_nothing_else():
    changed = varied("realistic", {"pose": {"tilt": Always(14.0)}}, "tilted")
    usual = SETTINGS["realistic"].table
    assert changed.table["pose"]["tilt"] == Always(14.0) != usual["pose"]["tilt"]
    assert {part for part in usual if changed.table[part] != usual[part]} == {"pose"}
    assert set(SETTINGS) == {"realistic", "randomised"}
    with pytest.raises(KeyError, match="'pose' of the phantom has no tillt"):
        varied("realistic", {"pose": {"tillt": Always(14.0)}}, "tilted")
    with pytest.raises(KeyError, match="no part posse; it has pose"):
        varied("realistic", {"posse": {"tilt": Always(14.0)}}, "tilted")


@pytest.mark.parametrize("name", gallery.FAILURES)
def test_made_failures_are_failures_of_chests_that_can_be_seen(name):
    """The Dice by hand: a plain phantom of the same setting goes well, the troubled one does not."""
    model = load_model()
    made, mask = gallery.failure(model, name)
    plain = phantom(gallery.SEED, 1, "Normal", gallery.SIZE)
    found = model.segment(plain.image).mask
    scores = [2 * (p & t).sum() / (p.sum() + t.sum()) for p, t in ((mask, made.lungs), (found, plain.lungs))]
    assert scores[0] < 0.92 < 0.95 < scores[1]
    assert made.image.std() > 20 and 0.06 < made.lungs.mean() < 0.55
