"""DICOM files, as pixels and with their spacing."""

import io
import os
import shutil
import subprocess
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pictures import COLOURS, GREY, ODD, VALUES, as_tone, compressed, dicom, luminance, planted, saved, stretched
from PIL import Image
from pydicom import uid
from pydicom.data import get_testdata_file
from support import dicom_files

from cxrseg.data.read import images
from cxrseg.data.square import to_square


@pytest.mark.parametrize("kind", ODD)
def test_odd_file_is_shown_as_the_standard_says(kind):
    if ODD[kind].levels is None:
        with pytest.raises(ValueError, match="image: cannot be decoded"):
            images.read_radiograph(ODD[kind].file())
    else:
        read = images.read_radiograph(ODD[kind].file())
        np.testing.assert_allclose(read.astype(float), ODD[kind].levels, atol=1.01)
        assert images.pixel_spacing(ODD[kind].file()) == (0.2, 0.3)


def test_dicom_window_clips():
    # Window centre 1000.5, width 1001: the standard (PS3.3 C.11.2.1.2) maps <= 500 to black, > 1500 to white.
    values = np.tile(np.linspace(0, 3000, 301).round().astype(np.uint16), (10, 1))
    read = images.read_radiograph(dicom(values, WindowCenter=1000.5, WindowWidth=1001))
    assert (read[values <= 500] == 0).all() and (read[values > 1500] == 255).all()
    np.testing.assert_allclose(read[values == 1000], 127.5, atol=1.5)


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
    whole = dicom(planted(), PixelSpacing=[0.2, 0.1])
    damaged = whole.replace(b"\x28\x00\x30\x00DS", b"\x28\x00\x30\x00D\x80")  # no such kind of value
    assert damaged != whole and images.pixel_spacing(damaged) is None


EIGHT = (VALUES // 16).astype(np.uint8)
JPEG, J2K = imagecodecs.jpeg8_encode, imagecodecs.jpeg2k_encode
FRAMES = {  # compressed frames: encoder's result, transfer syntax, the values in it
    "JPEG lossless": (JPEG(VALUES, bitspersample=12, lossless=True), uid.JPEGLosslessSV1, VALUES),
    "JPEG lossless, other predictor": (
        JPEG(VALUES, bitspersample=12, lossless=True, predictor=4), uid.JPEGLossless, VALUES
    ),
    "JPEG lossless, 8 bits": (JPEG(EIGHT, lossless=True), uid.JPEGLosslessSV1, EIGHT),
    "JPEG-LS": (imagecodecs.jpegls_encode(VALUES), uid.JPEGLSLossless, VALUES),
    "JPEG-LS, 8 bits": (imagecodecs.jpegls_encode(EIGHT), uid.JPEGLSLossless, EIGHT),
    "JPEG-LS, near": (imagecodecs.jpegls_encode(VALUES, level=2), uid.JPEGLSNearLossless, VALUES),
    "JPEG Extended": (JPEG(VALUES, bitspersample=12, level=100), uid.JPEGExtended12Bit, VALUES),
    "JPEG Extended, 8 bits": (JPEG(EIGHT, level=100), uid.JPEGExtended12Bit, EIGHT),
    "JPEG": (JPEG(EIGHT, level=100), uid.JPEGBaseline8Bit, EIGHT),
    "JPEG 2000": (J2K(VALUES, bitspersample=12, reversible=True, codecformat="j2k"), uid.JPEG2000Lossless, VALUES),
    "HTJ2K": (imagecodecs.htj2k_encode(VALUES), uid.HTJ2KLossless, VALUES),
}  # fmt: skip


@pytest.mark.parametrize("kind", FRAMES)
def test_compressed_frame_shows_what_the_plain_file_does(kind):
    frame, syntax, values = FRAMES[kind]
    plain = images.read_radiograph(dicom(values))
    for file in (compressed(frame, syntax, values), compressed(frame + b"\xff", syntax, values)):
        np.testing.assert_allclose(images.read_radiograph(file).astype(int), plain, atol=2)


@pytest.mark.parametrize(
    ("encode", "syntax", "kind"),
    [
        (lambda colours: JPEG(colours, lossless=True), uid.JPEGLosslessSV1, "RGB"),
        (lambda colours: JPEG(colours, level=100, subsampling="444"), uid.JPEGExtended12Bit, "YBR_FULL"),
        (lambda colours: JPEG(colours, level=100, subsampling="444"), uid.JPEGExtended12Bit, "YBR_FULL_422"),
        (lambda colours: JPEG(colours, level=100, subsampling="444"), uid.JPEGBaseline8Bit, "YBR_FULL"),
        (imagecodecs.jpegls_encode, uid.JPEGLSLossless, "RGB"),
        (imagecodecs.htj2k_encode, uid.HTJ2KLossless, "YBR_RCT"),
    ],
)
def test_compressed_colours(encode, syntax, kind):
    colours = (COLOURS // 16).astype(np.uint8)
    read = images.read_radiograph(compressed(encode(colours), syntax, colours, PhotometricInterpretation=kind))
    np.testing.assert_allclose(read, luminance(colours), atol=3)


def test_compressed_frame_of_signed_numbers():
    frame = imagecodecs.jpegls_encode((VALUES - np.uint16(2048)) & np.uint16(0xFFF))
    file = compressed(frame, uid.JPEGLSLossless, BitsStored=12, HighBit=11, PixelRepresentation=1)
    np.testing.assert_array_equal(images.read_radiograph(file), images.read_radiograph(dicom(VALUES)))


@pytest.mark.parametrize("kind", FRAMES)
def test_broken_off_stream_is_called_damaged_and_nothing_else(kind):
    frame, syntax, values = FRAMES[kind]
    whole = compressed(frame, syntax, values)
    short = [compressed(frame[: int(share * len(frame))], syntax, values) for share in (0.02, 0.3, 0.6, 0.95)]
    for file in (*short, whole[: len(whole) // 2]):
        with pytest.raises(ValueError, match=r"^x: cannot be decoded, truncated or damaged") as caught:
            images.read_radiograph(file, "x")
        assert "install" not in str(caught.value) and "\n" not in str(caught.value)


def test_stream_that_claims_another_size_takes_no_memory():
    frame = bytearray(FRAMES["JPEG lossless"][0])
    start = frame.index(b"\xff\xc3")  # SOF3: length, precision, then height and width
    frame[start + 5 : start + 9] = b"\xff\xdc\xff\xdc"
    with pytest.raises(ValueError, match="cannot be decoded"):
        images.read_radiograph(compressed(bytes(frame), uid.JPEGLosslessSV1))


@pytest.mark.parametrize("syntax", [uid.MPEG2MPML, uid.HEVCMP51, uid.JPIPHTJ2KReferenced, "1.2.3.4"])
def test_compression_that_nothing_reads_is_named(syntax):
    with pytest.raises(ValueError, match=rf"^film\.dcm: .*{uid.UID(syntax).name[:9]}.* not read; export it") as caught:
        images.read_radiograph(compressed(b"x" * 100, syntax), "film.dcm")
    assert "\n" not in str(caught.value)


def deflated(content: bytes) -> bytes:
    """Write a data set, in explicit little endian, as deflated DICOM."""
    header = pydicom.dcmread(io.BytesIO(dicom(planted())))
    header.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    file = io.BytesIO()
    header.save_as(file, enforce_file_format=True)
    start = 144 + int.from_bytes(file.getvalue()[140:144], "little")
    packer = zlib.compressobj(9, wbits=-15)
    return file.getvalue()[:start] + packer.compress(content) + packer.flush()


def test_deflated_file_is_read_unless_it_bursts():
    plain = dicom(planted())
    content = plain[144 + int.from_bytes(plain[140:144], "little") :]
    np.testing.assert_array_equal(images.read_radiograph(deflated(content)), planted())
    for file in (deflated(bytes(images.MAX_BYTES + 2)), deflated(content)[:-20]):
        with pytest.raises(ValueError, match="cannot be decoded"):
            images.read_radiograph(file)


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
        return np.asarray(picture.convert("L"))


# What DCMTK is asked for: the first window, the first table, or the range of the values.
OPTIONS = {"window": ["+Wi", "1"], "table": ["+Wl", "1"], "plain": ["+Wm"]}


OTHERWISE = ("rtdose_expb_1frame.dcm",)  # DCMTK exchanges the halves of big-endian numbers of 32 bits


def voi(tags) -> str:
    """Return what DCMTK has to be asked for to display a file with these attributes."""
    return "table" if tags.get("VOILUTSequence") else "window" if tags.get("WindowWidth") else "plain"


@pytest.mark.parametrize("kind", [kind for kind, odd in ODD.items() if odd.in_dcmtk])
def test_display_is_that_of_dcmtk(kind, tmp_path):
    file = tmp_path / "a.dcm"
    file.write_bytes(ODD[kind].file())
    shown = by_dcmtk(file, *OPTIONS[voi(ODD[kind].tags)])
    assert np.corrcoef(shown.ravel(), images.read_radiograph(file).ravel())[0, 1] > 0.995


@pytest.mark.filterwarnings("ignore::UserWarning")  # of pydicom, about odd files
def test_every_dicom_of_the_test_packages_is_read_or_refused_in_one_line():
    read = 0
    for path in dicom_files():
        try:
            picture = images.read_radiograph(path)
        except ValueError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
        else:
            assert picture.ndim == 2 and picture.dtype == np.uint8
            read += 1
    assert read >= 80


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_dicom_of_the_test_packages_is_displayed_as_by_dcmtk(tmp_path):
    """Files that DCMTK and we both read."""
    apart, compared = {}, 0
    for path in dicom_files():
        try:
            ours = images.read_radiograph(path)
            shutil.copy(path, tmp_path / "copy")
            shown = by_dcmtk(tmp_path / "copy", *OPTIONS[voi(pydicom.dcmread(path, force=True))])
        except (ValueError, AssertionError):  # one of us refuses it
            continue
        levels = np.ptp(shown)
        if levels and ours.std() and path.name not in OTHERWISE:
            compared += 1
            difference = np.abs(stretched(shown) - stretched(ours)).mean()
            if difference > 2 + 255 / levels / 2:  # what DCMTK shows in few levels is rounded
                apart[path.name] = difference
    assert compared >= 100
    assert apart == {}


def test_big_endian_numbers_of_32_bits_are_those_of_the_little_endian_file():
    little, big = (get_testdata_file(f"rtdose{kind}_1frame.dcm", download=False) for kind in ("", "_expb"))
    np.testing.assert_array_equal(images.read_radiograph(big), images.read_radiograph(little))
