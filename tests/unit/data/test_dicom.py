"""DICOM files, as pixels and with their spacing."""

import io
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLosslessSV1
from samples import GREY, as_tone, dicom, planted, saved
from support import DICOM_KINDS, dicom_of_kind

from cxrseg.data import images
from cxrseg.data.square import to_square


def test_dicom_window_clips():
    # Window centre 1000.5, width 1001: the standard (PS3.3 C.11.2.1.2) maps <= 500 to black, > 1500 to white.
    values = np.tile(np.linspace(0, 3000, 301).round().astype(np.uint16), (10, 1))
    read = images.read_radiograph(dicom(values, WindowCenter=1000.5, WindowWidth=1001))
    assert (read[values <= 500] == 0).all() and (read[values > 1500] == 255).all()
    np.testing.assert_allclose(read[values == 1000], 127.5, atol=1.5)


@pytest.mark.parametrize(
    "fields", [{"RescaleSlope": None, "RescaleIntercept": None}, {"WindowCenter": 40, "WindowWidth": 0}]
)
def test_dicom_with_a_scale_or_window_that_says_nothing_is_read_without(fields):
    values = np.tile(np.linspace(0, 3000, 301).round().astype(np.uint16), (10, 1))
    np.testing.assert_array_equal(
        images.read_radiograph(dicom(values, **fields)), images.read_radiograph(dicom(values))
    )


def test_dicom_window_of_monochrome1_is_inverted_after_it_is_applied():
    values = np.tile(np.linspace(0, 3000, 301).round().astype(np.uint16), (10, 1))
    read = images.read_radiograph(dicom(values, "MONOCHROME1", WindowCenter=1000.5, WindowWidth=1001))
    assert (read[values <= 500] == 255).all() and (read[values > 1500] == 0).all()


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("fields", [{}, {"PixelPaddingRangeLimit": -31_000}], ids=["one value", "a range"])
def test_dicom_padding_takes_no_part_of_the_grey_scale(kind, fields):
    dark, bright = (-900, 700) if kind == "MONOCHROME2" else (700, -900)
    values = as_tone(planted(), dark, bright, np.int16)
    whole = images.read_radiograph(dicom(values, kind))
    values[-4:] = -32_000
    read = images.read_radiograph(dicom(values, kind, PixelPaddingValue=-32_000, **fields))
    np.testing.assert_array_equal(read[:-4], whole[:-4])
    assert not read[-4:].any()


def test_dicom_padding_whose_value_has_lost_its_sign_beside_a_dead_pixel():
    values = np.random.default_rng(7).integers(1000, 3000, (80, 80)).astype(np.int16)
    whole = images.read_radiograph(dicom(values))
    values[:8], values[40, 40] = -2000, -30_000
    dataset = pydicom.dcmread(io.BytesIO(dicom(values)))
    dataset.add_new("PixelPaddingValue", "US", 0x10000 - 2000)
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset)
    difference = images.read_radiograph(file.getvalue())[8:].astype(int) - whole[8:]
    difference[32, 40] = 0
    assert np.abs(difference).max() <= 1


def test_dicom_without_header_reads_in_the_default_encoding():
    # No preamble and no meta group: the data set alone, as implicit little endian.
    dataset = pydicom.dcmread(io.BytesIO(dicom(planted())))
    del dataset.file_meta
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, implicit_vr=True, little_endian=True)
    np.testing.assert_array_equal(images.read_radiograph(file.getvalue(), "old.DCM"), planted())


def test_pixel_spacing():
    assert images.pixel_spacing(dicom(planted(), PixelSpacing=[0.2, 0.1], ImagerPixelSpacing=[0.3, 0.3])) == (0.2, 0.1)
    assert images.pixel_spacing(dicom(planted(), ImagerPixelSpacing=[0.143, 0.143])) == (0.143, 0.143)
    assert images.pixel_spacing(dicom(planted())) is None
    for nonsense in ([0, 0], [1e200, 1e200]):
        assert images.pixel_spacing(dicom(planted(), PixelSpacing=nonsense)) is None
    assert images.pixel_spacing(saved(GREY, "PNG", dpi=(300, 300))) is None


def test_dicom_compression_without_decoder_names_it():
    dataset = pydicom.dcmread(io.BytesIO(dicom(planted())))
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    dataset.PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
    dataset["PixelData"].is_undefined_length = True
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    with pytest.raises(ValueError, match=r"^lossless\.dcm: .*JPEG Lossless.*save it uncompressed"):
        images.read_radiograph(file.getvalue(), "lossless.dcm")


def test_real_dicom_has_dark_lungs_beside_a_bright_middle():
    store = pytest.importorskip("data_store", reason="the package pydicom-data is not installed")
    path = Path(store.__file__).parent / "data" / "RG1_UNCI.dcm"
    chest = images.read_radiograph(path)
    assert chest.shape == (1955, 1841)
    small = to_square(chest, 128).astype(float)
    right, middle, left = (small[35:70, columns].mean() for columns in (slice(30, 50), slice(60, 70), slice(80, 98)))
    assert right + 40 < middle and left + 40 < middle
    assert images.pixel_spacing(path) is None  # the file says 0.000 mm


def by_dcmtk(file, *options):
    """Return a DICOM file as DCMTK displays it."""
    program = shutil.which("dcmj2pnm") or shutil.which("dcm2img")
    if not program:
        if os.environ.get("CXRSEG_REQUIRE_DCMTK") == "1":
            pytest.fail("DCMTK is not installed")
        pytest.skip("DCMTK is not installed (Debian: dcmtk)")
    done = subprocess.run(
        [program, "--write-raw-pnm", "--no-overlays", *options, file, f"{file}.pgm"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with Image.open(f"{file}.pgm") as picture:
        return np.asarray(picture)


# What DCMTK is asked for: the first window, the first table, or the range of the values.
OPTIONS = {"window": ["+Wi", "1"], "table": ["+Wl", "1"], "plain": ["+Wm"]}


# DCMTK takes the first window even if its width is 0, blackens padding otherwise, and ignores slope 0 and the shape.
OTHERWISE = ("second window", "window of width 1", "inverse shape", "slope 0")


@pytest.mark.parametrize("kind", [kind for kind in DICOM_KINDS if kind not in OTHERWISE and "padded" not in kind])
def test_display_is_that_of_dcmtk(kind, tmp_path):
    file = dicom_of_kind(kind, tmp_path / "a.dcm")
    tags = DICOM_KINDS[kind]
    windowed = tags.get("WindowWidth") and "beside" not in kind
    voi = "table" if "VOILUTSequence" in tags else "window" if windowed else "plain"
    shown, ours = by_dcmtk(file, *OPTIONS[voi]), images.read_radiograph(file)
    assert np.corrcoef(shown.ravel(), ours.ravel())[0, 1] > 0.995


def test_a_slope_of_0_and_the_second_window_leave_a_picture(tmp_path):
    plain = images.read_radiograph(dicom_of_kind("plain", tmp_path / "a.dcm"))
    for kind in ("slope 0", "empty slope", "window of width 0", "window beside"):
        np.testing.assert_array_equal(images.read_radiograph(dicom_of_kind(kind, tmp_path / "b.dcm")), plain)
    window = images.read_radiograph(dicom_of_kind("window", tmp_path / "c.dcm"))
    np.testing.assert_array_equal(images.read_radiograph(dicom_of_kind("second window", tmp_path / "d.dcm")), window)
    inverse = images.read_radiograph(dicom_of_kind("inverse shape", tmp_path / "e.dcm"))
    np.testing.assert_array_equal(inverse, images.read_radiograph(dicom_of_kind("inverted", tmp_path / "f.dcm")))


@pytest.mark.filterwarnings("ignore::UserWarning")  # of pydicom, about odd files
def test_every_grey_dicom_of_the_test_packages_is_displayed_as_by_dcmtk(tmp_path):
    """Files that DCMTK and we both read."""
    store = pytest.importorskip("data_store", reason="the package pydicom-data is not installed")
    folders = [Path(store.__file__).parent / "data", Path(pydicom.__file__).parent / "data" / "test_files"]
    correlation = {}
    for path in (file for folder in folders for file in sorted(folder.rglob("*.dcm"))):
        try:
            ours = images.read_radiograph(path)
        except ValueError:
            continue
        dataset = pydicom.dcmread(path, force=True)
        is_picture = dataset.get("SamplesPerPixel", 1) == 1 and dataset.get("Modality") != "RTDOSE"
        if not is_picture or "PixelPaddingValue" in dataset or not ours.std():
            continue
        voi = "table" if dataset.get("VOILUTSequence") else "window" if dataset.get("WindowWidth") else "plain"
        shutil.copy(path, tmp_path / path.name)
        try:
            shown = by_dcmtk(tmp_path / path.name, *OPTIONS[voi])
        except AssertionError:  # DCMTK refuses it
            continue
        if shown.shape == ours.shape and shown.std():
            correlation[path.name] = np.corrcoef(shown.ravel(), ours.ravel())[0, 1]
    assert len(correlation) >= 15
    assert not {name: round(float(r), 3) for name, r in correlation.items() if r < 0.99}
