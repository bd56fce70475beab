"""One radiograph: where its mask lies, and what is said of it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from support import save_dicom

from cxrseg import load_model, models
from cxrseg.evaluate.predict import Network
from cxrseg.phantom import phantom
from cxrseg.segment import checks
from cxrseg.segment.files import segment_files
from cxrseg.segment.model import Model

CARD = models.ModelCard(
    input_size=128, structures=["lungs"], threshold=0.5, pieces=0, study="demo", run="demo", trained_on="On nothing.",
    dataset_fingerprint="", commit="", seed=1, seconds=1, agreement={}, sha256="",
    scores={"dice": 0.9, "ci95": [0.88, 0.92], "cases": 12},
)  # fmt: skip


def bright(inputs):
    """Take what is bright for lung, and be sure of it."""
    return np.clip(20 * inputs - 9, 0, 1)


def dark(inputs):
    """Take what is dark for lung, but not black as a border is."""
    return np.where(inputs > 0.1, np.clip(8 - 20 * inputs, 0, 1), 0).astype(np.float32)


BRIGHT, DARK = (Model(Network(128, answer), CARD) for answer in (bright, dark))


def chest(height, width):
    """Return two ellipses as a mask: a larger one at the left, a smaller one at the right and higher up."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    y, x = y - height / max(height, width) / 2, x - width / max(height, width) / 2
    return ((x + 0.15) / 0.1) ** 2 + (y / 0.25) ** 2 < 1, ((x - 0.15) / 0.08) ** 2 + ((y + 0.05) / 0.2) ** 2 < 1


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def planted(kind, folder):
    """Write a picture that is bright on two known ellipses; return the file and the mask as one sees it upright."""
    height, width = (700, 1100) if kind != "tall" else (1100, 600)
    right, left = chest(height, width)
    grey = np.where(right | left, 220, 20).astype(np.uint8)
    file = folder / f"{kind}.png"
    if kind == "sixteen":
        Image.fromarray(grey.astype(np.uint16) * 16).save(file)
    elif kind == "exif":
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned a quarter to the right when shown
        file = folder / "exif.jpg"
        Image.fromarray(np.rot90(grey)).save(file, exif=exif, quality=95)
    elif kind == "monochrome1":
        file = folder / "inverted.dcm"
        save_dicom(4095 - grey.astype(np.uint16) * 16, file, PhotometricInterpretation="MONOCHROME1")
    else:
        Image.fromarray(grey).save(file)
    return file, right, left


def test_a_low_quality_is_warned_of():
    truth = phantom(7, 1, "Normal", 256).lungs
    lungs = np.where(truth, 60, 170).astype(np.uint8)
    good = DARK.segment(lungs)
    assert dice(good.mask, truth) > 0.98
    assert good.predicted_dice > checks.LOW
    assert good.warning == ""
    # The same outline on lungs that are brighter than what surrounds them is none to be trusted.
    odd = BRIGHT.segment(255 - lungs)
    assert dice(odd.mask, truth) > 0.96
    assert odd.predicted_dice < checks.LOW - 0.2
    assert odd.warning == f"low predicted quality ({odd.predicted_dice:.2f}): check the outline"


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


@pytest.mark.slow
def test_neither_keras_nor_tensorflow_is_imported(exported, checkout, tmp_path):
    file, *_ = planted("wide", tmp_path)
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
