"""One radiograph: where its mask lies, and what is said of it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from samples import (
    BRIGHT,
    CARD,
    CHEST,
    DARK,
    LUNGS,
    ORGANS,
    ORGANS_CARD,
    dark,
    dice,
    organs,
    planted_file,
    planted_organs,
)  # fmt: skip
from scipy import ndimage

from cxrseg import load_model, models
from cxrseg.evaluate.predict import Network
from cxrseg.phantom import phantom
from cxrseg.segment import checks
from cxrseg.segment.files import segment_files
from cxrseg.segment.model import Model


def test_a_low_quality_is_warned_of():
    good = DARK.segment(CHEST)
    assert dice(good.mask, LUNGS) > 0.98
    assert good.predicted_dice > checks.LOW
    assert good.warning == ""
    # The same outline is none to be trusted if a slightly lower threshold would outline everything.
    odd = Model(Network(128, lambda inputs: 0.4 + 0.2 * dark(inputs), ["lungs"]), CARD).segment(CHEST)
    assert dice(odd.mask, LUNGS) > 0.96
    assert odd.predicted_dice < checks.LOW
    assert odd.warning == f"low predicted quality ({odd.predicted_dice:.3f}): check the outline"


def test_a_turned_and_an_inverted_picture_are_warned_of(tmp_path):
    pytest.importorskip("onnxruntime")
    made = phantom(3, 2, "Normal", 300).image
    pictures = {
        "turned": (np.rot90(made, 2), "looks turned by 180 degrees"),
        "clockwise": (np.rot90(made, -1), "looks turned by 90 degrees clockwise"),
        "inverted": (255 - made, "looks inverted"),
        "upright": (made, ""),
    }
    for name, (picture, _) in pictures.items():
        Image.fromarray(np.pad(picture, ((0, 0), (40, 0)), "edge")).save(tmp_path / f"{name}.png")
    files = [tmp_path / f"{name}.png" for name in pictures]
    for (file, row), (_, said) in zip(
        segment_files(load_model(), files, tmp_path / "out"), pictures.values(), strict=True
    ):
        assert row["warning"].startswith(said), file
        assert bool(row["warning"]) == bool(said), file


def test_the_chest_cr_of_pydicom_data(tmp_path):
    pytest.importorskip("onnxruntime")
    data = pytest.importorskip("pydicom.data")
    file = Path(data.get_testdata_file("RG1_UNCI.dcm", download=False) or "missing")
    if not file.is_file():
        pytest.skip("pydicom-data is not installed")
    ((_, row),) = segment_files(load_model(), [file], tmp_path)
    mask = np.asarray(Image.open(tmp_path / row["mask"])) > 0
    assert mask.shape == (1955, 1841)
    assert ndimage.label(mask, np.ones((3, 3)))[1] == 2
    # Two lungs of a grown person who fills the picture; along the spine there is none.
    assert all(0.1 < row[side] / mask.size < 0.25 for side in ("left_px", "right_px"))
    assert not mask[400:1400, 900:960].any()
    assert row["warning"] == ""


def test_a_blank_picture_is_refused(tmp_path):
    with pytest.raises(ValueError, match="every pixel has one grey"):
        BRIGHT.segment(np.full((40, 50), 7, np.uint8))
    Image.new("LA", (40, 50), (200, 0)).save(tmp_path / "clear.png")
    with pytest.raises(ValueError, match=r"clear\.png: every pixel has one grey \(0\)"):
        BRIGHT.segment(tmp_path / "clear.png")


@pytest.mark.slow
def test_neither_keras_nor_tensorflow_is_imported(exported, checkout, tmp_path):
    file, *_ = planted_file("wide", tmp_path)
    code = (
        "import sys; from pathlib import Path; import cxrseg; from cxrseg.segment.files import segment_files; "
        f"list(segment_files(cxrseg.load_model('tiny'), [Path({str(file)!r})], Path({str(tmp_path / 'out')!r}))); "
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"keras", "tensorflow", "torch", "pandas", "matplotlib"}


def test_missing_default_model_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(models, "graph_file", lambda name: tmp_path / "default.onnx")
    with pytest.raises(FileNotFoundError, match=r"no default model.*--run"):
        load_model()


def test_the_ratio_is_refused_in_strange_pictures():
    picture, *_ = planted_organs(300, 300)
    assert ORGANS.segment(picture).ctr is not None
    half = picture.copy()
    half[:, :150] = 160  # one lung is gone
    found = ORGANS.segment(half)
    assert found.ctr is None and found.warning and "frontal" in found.ctr_refused
    inverted = Model(Network(128, lambda inputs: organs(1 - inputs), ORGANS_CARD.structures), ORGANS_CARD)
    found = inverted.segment(255 - picture)
    assert found.ctr is None and "inverted" in found.warning and "inverted" in found.ctr_refused
    tiny = ORGANS.segment(picture[::40, ::40])
    assert tiny.ctr is not None or tiny.ctr_refused


def test_a_network_that_does_not_know_lungs_is_refused(monkeypatch):
    monkeypatch.setattr(models, "card", lambda name: replace(ORGANS_CARD, structures=["infection", "heart"]))
    with pytest.raises(ValueError, match="'mine' segments infection, heart: expected lungs as the first"):
        load_model("mine")
