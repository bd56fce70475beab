"""What speaks against a segmentation."""

import io

import numpy as np
import pytest
from PIL import Image
from samples import chest

from cxrseg.measure.lungs import lung_areas
from cxrseg.segment import checks
from cxrseg.segment.orientation import Orientation


def test_objections_name_each_reason():
    right, left = chest(128, 128)
    assert checks.objections(right | left, left.sum(), right.sum()) == []
    assert checks.objections(right & False, 0, 0) == ["no lung found"]
    (alone, side) = checks.objections(right, 0, right.sum())
    assert "1 large piece" in alone
    assert "one side" in side
    everything = np.ones((64, 64), bool)
    assert "100%" in checks.objections(everything, 2000, 2096)[0]
    speck = np.zeros((128, 128), bool)
    speck[60:70, 40:45] = speck[60:70, 90:92] = True
    reasons = " ".join(checks.objections(speck, 20, 70))
    assert "cover 0%" in reasons
    assert "3.5 times as large" in reasons


@pytest.mark.real
def test_nothing_speaks_against_real_lungs(shared):
    import zipfile

    archive = zipfile.ZipFile(shared / "covid-qu-ex-1500.zip")
    names = [n for n in archive.namelist() if "lung masks/" in n and n.endswith(".png")][::5]
    for name in names:
        mask = np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("L")) > 127
        right, left = lung_areas(mask, mask * np.uint8(255))
        assert checks.objections(mask, left, right) == [], name


def test_warning_tells_low_quality_and_strange_pictures_apart():
    upright = Orientation(0, False)
    assert checks.warning(0.95, [], upright) == ""
    assert "low predicted quality (0.700)" in checks.warning(0.7, [], upright)
    both = checks.warning(0.7, ["no lung found"], upright)
    assert "does not look like a frontal chest X-ray: no lung found" in both
    assert "0.70" in both


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize(("turned", "said"), [(0, ""), (90, "90"), (180, "180"), (270, "90")])
def test_warning_names_the_turn_and_the_polarity(turned, said, inverted):
    text = checks.warning(0.95, [], Orientation(turned, inverted))
    assert said in text
    assert ("inverted" in text) == inverted
    assert ("counter" in text) == (turned == 270)
    assert bool(text) == (turned > 0 or inverted)
