"""Radiographs are read as they should be seen. The truth is planted; tifffile and pydicom write the files."""

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from pictures import DEEP, GREY, LOSSLESS, NEAR, as_tone, dicom, planted, saved, tiff
from PIL import Image

from cxrseg.data.read import images


@pytest.mark.parametrize("kind", LOSSLESS)
def test_eight_bit_values_stay(kind):
    read = images.read_radiograph(LOSSLESS[kind])
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, planted())


@pytest.mark.parametrize("kind", DEEP)
def test_deeper_values_are_stretched_over_the_grey_scale(kind):
    read = images.read_radiograph(DEEP[kind])
    assert read.dtype == np.uint8
    np.testing.assert_allclose(read.astype(int), planted(), atol=1)


@pytest.mark.parametrize("kind", NEAR)
def test_jpeg_is_near(kind):
    assert np.abs(images.read_radiograph(NEAR[kind]).astype(int) - planted()).mean() < 2


def test_luminance_of_colours_is_itu_601():
    row = Image.new("RGB", (3, 1))
    for column, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255)]):
        row.putpixel((column, 0), colour)
    np.testing.assert_allclose(images.read_radiograph(saved(row, "PNG"))[0], [76, 150, 29], atol=1)


def test_transparent_pixels_are_laid_on_black():
    clear = Image.new("RGBA", (2, 1), (255, 255, 255, 0))
    clear.putpixel((1, 0), (255, 255, 255, 128))
    np.testing.assert_allclose(images.read_radiograph(saved(clear, "PNG"))[0], [0, 128], atol=1)


def test_one_bit():
    picture = Image.fromarray(planted() == 255)
    for kind in ("PNG", "BMP", "TIFF"):
        np.testing.assert_array_equal(images.read_radiograph(saved(picture, kind)) == 255, planted() == 255)


def test_one_hot_pixel_does_not_darken_a_deep_image():
    values = as_tone(planted(), 100, 4000, np.uint16)
    values[0, 0] = 65535
    np.testing.assert_allclose(images.read_radiograph(tiff(values))[1:].astype(int), planted()[1:], atol=1)


def test_few_bright_pixels_on_a_constant_deep_image_survive():
    values = np.full((100, 100), 500, np.uint16)
    values[3, 4] = 600
    assert np.argwhere(images.read_radiograph(tiff(values)) == 255).tolist() == [[3, 4]]


def test_constant_deep_image_is_black():
    assert not images.read_radiograph(tiff(np.full((4, 4), 500, np.uint16))).any()


def test_float_that_is_no_number_counts_as_darkest():
    values = planted().astype(np.float32)
    values[0, 0], values[0, 1] = np.nan, np.inf
    np.testing.assert_array_equal(images.read_radiograph(tiff(values)), planted())


def test_what_libraries_think_of_a_damaged_tiff_does_not_reach_the_terminal(tmp_path):
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (64, 80), np.uint8))
    for compression in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits"):
        whole = saved(noise, "TIFF", compression=compression)
        for number in range(40):
            damaged = bytearray(whole)
            for place in rng.integers(0, (200, len(whole))[number % 2], 5):
                damaged[place] = rng.integers(256)
            (tmp_path / f"{compression}-{number}.tif").write_bytes(damaged)
    script = """
import sys
from contextlib import suppress
from pathlib import Path
from cxrseg.data.read import images
for file in Path(sys.argv[1]).glob("*.tif"):
    with suppress(ValueError):
        images.read_radiograph(file)
"""
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_path_bytes_and_file_object_give_the_same(tmp_path):
    path = tmp_path / "chest.PNG"
    path.write_bytes(LOSSLESS["png"])
    with path.open("rb") as file:
        for source in (path, str(path), LOSSLESS["png"], file, file):
            np.testing.assert_array_equal(images.read_radiograph(source), planted())


@pytest.mark.filterwarnings("error")
def test_every_truncation_is_an_error_or_the_whole_picture():
    for kind, whole in {**LOSSLESS, **DEEP, "jpeg": saved(GREY, "JPEG")}.items():
        expected = images.read_radiograph(whole, kind)
        for length in range(0, len(whole), max(1, len(whole) // 60)):
            try:
                read = images.read_radiograph(whole[:length], kind)
            except ValueError as error:
                assert "\n" not in str(error) and str(error).startswith(f"{kind}: ") and "expected" in str(error)
            else:
                np.testing.assert_array_equal(read, expected)
                assert length > 0.8 * len(whole), kind


def test_damaged_files_raise_nothing_but_value_error():
    rng = np.random.default_rng(0)
    for kind, whole in {**LOSSLESS, **DEEP, "jpeg": saved(GREY, "JPEG")}.items():
        for _ in range(15):
            damaged = bytearray(whole)
            for place in rng.integers(0, min(len(whole), 600), 5):
                damaged[place] = rng.integers(256)
            try:
                read = images.read_radiograph(bytes(damaged), kind)
            except ValueError as error:
                assert "\n" not in str(error)
            else:
                assert read.dtype == np.uint8 and read.ndim == 2


def bomb(width: int, height: int, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG that claims a size, or a kind of pixel, that it does not have."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        LOSSLESS["png"][:8] + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)) + LOSSLESS["png"][33:]
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"not a picture at all" * 20, "not an image"),
        (b"GIF89a" + b"\0" * 100, "not an image"),
        (bomb(60_000, 60_000), "far more pixels"),
        (bomb(11_000, 10_000), "far more pixels"),
        (bomb(9_000, 100), r"9000 x 100 pixels; expected sides of 1 to 8192"),
        (dicom(None), "without pixel data"),
        (dicom(planted(), NumberOfFrames=3), "3 frames"),
        (dicom(planted(), "PALETTE COLOR"), "palette"),
        (dicom(planted(), Rows=30_000), "30000 pixels"),
        (dicom(planted(), Rows=60), "cannot be decoded"),
        (tiff(np.zeros((3, 8, 8), np.uint8), photometric="minisblack"), "3 pages"),
        (tiff(np.full((3, 3), np.nan, np.float32)), "finite"),
        (tiff(np.full((8, 8, 3), 4095, np.uint16), photometric="rgb"), "16 bits in each"),
        (tiff(np.full((3, 8, 8), 4095, np.uint16), photometric="rgb", planarconfig="separate"), "16 bits in each"),
        (bomb(8, 8, depth=16, colour=2), "16 bits in each"),
        (bomb(8, 8, depth=16, colour=4), "16 bits in each"),
        (tiff(np.arange(-32, 32, dtype=np.int8).reshape(8, 8)), "signed 8 bits"),
        (tiff(np.arange(64, dtype=np.int64).reshape(8, 8)), "int64"),
        (tiff(np.zeros((8, 8, 3)), photometric="rgb"), "float64"),
        (tiff(np.zeros((8, 8)), np.zeros((8, 8))), "2 pages"),
        (tiff(np.zeros((8, 8), np.uint8), thumbnail=0), "thumbnail"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path, content, problem):
    path = tmp_path / "chest.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=problem) as caught:
        images.read_radiograph(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message and ("expected" in message or "save it" in message)


def test_text_named_dcm(tmp_path):
    path = tmp_path / "chest.dcm"
    path.write_text("this is a letter\n" * 30)
    with pytest.raises(ValueError, match=r"chest\.dcm: .*expected one PNG"):
        images.read_radiograph(path)


def test_missing_file_and_folder_instead(tmp_path):
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(ValueError, match="cannot be opened"):
            images.read_radiograph(path)


def test_file_too_long_is_not_read(tmp_path):
    path = tmp_path / "huge.dcm"
    with path.open("wb") as file:  # a hole: no disk is used
        file.truncate(images.MAX_BYTES + 1)
    with pytest.raises(ValueError, match="expected at most"):
        images.read_radiograph(path)
