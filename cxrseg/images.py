"""Read any radiograph as 8-bit grey, and map it and its masks to a square and back.

The aspect-ratio rule, here and nowhere else: an image is padded with black to a square, centred (an odd
row or column more goes to the bottom or right), and the square is resized. Nothing is stretched or cut
off, and a square image is not padded. `from_square` is the inverse.
"""

import io
import os
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

MAX_SIDE = 8192
"""Longest side read, pixels. A 43 cm detector with 0.1 mm pixels has 4,300. The largest file within this
limit takes 2 GB of memory to decode (windowed DICOM; 1.2 GB as PNG), and a strip padded to a square 0.1 GB."""

MAX_BYTES = 4 * MAX_SIDE**2
"""Longest file read, bytes: four for every pixel of the largest image."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".dcm", ".dicom")
"""File names that are taken for radiographs, in lower case."""

MAX_SPACING = 100
"""Spacing of pixels from which on it is an error of the file, millimetres: no chest would fill ten of them."""

_EXPECTED = "expected one PNG, JPEG, BMP, TIFF or DICOM image"
_DEFLATED = b"1.2.840.10008.1.2.1.99\0"

Source = str | os.PathLike | bytes | BinaryIO


def read_radiograph(file: Source, name: str | None = None) -> np.ndarray:
    """Read a radiograph as the eye is meant to see it: upright, air dark, bone bright.

    Colour becomes luminance (ITU-R 601-2), transparency is laid on black, a palette is looked up and an
    EXIF orientation applied. Eight bits stay as they are. Anything deeper (16 bits, floating point, DICOM)
    is mapped linearly so that the 0.1st and the 99.9th percentile of its pixels become 0 and 255, and
    clipped: a 12-bit image in a 16-bit file is not nearly black, nor does one hot pixel darken the rest.
    DICOM values first go through the modality LUT (or rescale slope and intercept) and the first VOI LUT
    or window, where the file has them; MONOCHROME1 is inverted. Pixels that only fill up the rectangle
    (Pixel Padding Value, 0028,0120) become black, and the percentiles are those of the others.

    Parameters
    ----------
    file : path, bytes or binary file object
        A PNG, JPEG, BMP, TIFF or DICOM file. A file object needs ``seek`` and stays open.
    name : str, optional
        What errors call it; by default the path.

    Returns
    -------
    numpy.ndarray
        (height, width) uint8, 0 black to 255 white.

    Raises
    ------
    ValueError
        One line that names the file: missing, empty, truncated, not an image, more than one page or frame,
        more than 8 bits in each of several channels, signed 8-bit TIFF, a side over `MAX_SIDE` pixels or more
        than `MAX_BYTES`, or DICOM without pixels.

    Examples
    --------
    >>> picture = Image.new("RGB", (3, 2), "white")
    >>> file = io.BytesIO()
    >>> picture.save(file, "PNG")
    >>> read_radiograph(file.getvalue()).tolist()
    [[255, 255, 255], [255, 255, 255]]
    """
    values, inverted = _read(file, name)
    grey = values if values.dtype == np.uint8 else _to_8_bit(values)
    return 255 - grey if inverted else grey


def read_mask(file: Source, name: str | None = None) -> np.ndarray:
    """Read a mask, whose pixels may be grey levels, as true and false.

    Full scale is the smallest of 1, 255 and 65535 that no pixel exceeds, and a pixel is in the mask above
    half of it: from 128 of 255, and at 1 where a mask holds only 0 and 1.

    Parameters
    ----------
    file, name
        As for `read_radiograph`.

    Returns
    -------
    numpy.ndarray
        (height, width) bool.

    Raises
    ------
    ValueError
        As for `read_radiograph`; also where nothing reaches half scale though something exceeds 1, as in a
        map of labels 0, 1, 2 or a mask drawn in dark colours: it would pass for an empty mask.
    """
    values, inverted = _read(file, name)
    top = values.max()
    full = next((scale for scale in (1, 255, 65535) if top <= scale), top)
    if 1 < top <= full / 2:
        raise ValueError(
            f"{_name(file, name)}: the brightest pixel of this mask is {top:g}; "
            "expected a mask of 0 and 255, or of 0 and 1"
        )
    mask = values > full / 2
    return ~mask if inverted else mask


def pixel_spacing(file: Source, name: str | None = None) -> tuple[float, float] | None:
    """Return the spacing of rows and of columns in millimetres, or None where the file does not know.

    DICOM's Pixel Spacing (0028,0030) where present, else Imager Pixel Spacing (0018,1164): the latter is
    measured at the detector, where the body is magnified by a few per cent. The resolution that pictures
    carry is meant for printers and is not used.

    Raises
    ------
    ValueError
        As for `read_radiograph`.
    """
    name = _name(file, name)
    with _opened(file, name) as stream:
        if not _is_dicom(stream, name):
            return None
        dataset = _dicom_dataset(stream, name, stop_before_pixels=True)
    for key in ("PixelSpacing", "ImagerPixelSpacing"):
        try:
            row, column = (float(value) for value in dataset.get(key) or ())
        except (TypeError, ValueError):
            continue
        if 0 < row < MAX_SPACING and 0 < column < MAX_SPACING:
            return row, column
    return None


def to_square(image: np.ndarray, size: int) -> np.ndarray:
    """Pad an image to a square with black and resize it, antialiased.

    Parameters
    ----------
    image : numpy.ndarray
        (height, width) uint8.
    size : int
        Side of the result, pixels.

    Returns
    -------
    numpy.ndarray
        (size, size) uint8; `image` itself where it has that shape.
    """
    if image.shape == (size, size):
        return image
    side, top, left = _frame(image.shape)
    square = np.zeros((side, side), image.dtype)
    square[top : top + image.shape[0], left : left + image.shape[1]] = image
    # Pillow widens the bilinear kernel when it shrinks: that is the antialiasing.
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BILINEAR))


def mask_to_square(mask: np.ndarray, size: int) -> np.ndarray:
    """Pad and resize a mask as `to_square` does its image; a pixel is in where at least half of it is.

    Parameters
    ----------
    mask : numpy.ndarray
        (height, width) bool.
    size : int
        Side of the result, pixels.

    Returns
    -------
    numpy.ndarray
        (size, size) bool; `mask` itself where it has that shape.
    """
    if mask.shape == (size, size):
        return mask
    return to_square(mask.astype(np.uint8) * 255, size) >= 128


def from_square(square: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Map what lies on the square grid back to the original pixels: the inverse of `to_square`.

    Parameters
    ----------
    square : numpy.ndarray
        (size, size) probabilities (float), mask (bool) or image (uint8).
    shape : tuple of int
        Height and width of the original, pixels.

    Returns
    -------
    numpy.ndarray
        `shape`; float32 for floats, else the dtype given. Bilinear; a mask is cut at one half.
    """
    if square.dtype == bool:
        return from_square(square.astype(np.float32), shape) >= 0.5
    values = square if square.dtype == np.uint8 else square.astype(np.float32)
    if square.shape == tuple(shape):
        return values
    (height, width), (side, top, left) = shape, _frame(shape)
    scale = square.shape[0] / side
    box = (left * scale, top * scale, (left + width) * scale, (top + height) * scale)
    return np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR, box=box))


def fitted(shape: tuple[int, int], size: int) -> tuple[int, int]:
    """Return the height and width of an image of `shape` whose longer side becomes `size` pixels."""
    side = max(shape)
    return max(1, round(shape[0] * size / side)), max(1, round(shape[1] * size / side))


def _frame(shape: tuple[int, int]) -> tuple[int, int, int]:
    """Return the side of the square around an image, and the row and column where the image begins."""
    height, width = shape
    side = max(height, width)
    return side, (side - height) // 2, (side - width) // 2


def _to_8_bit(values: np.ndarray) -> np.ndarray:
    low, high = np.percentile(values, (0.1, 99.9))
    if high == low:  # a nearly constant image, whose few other pixels are all there is to see
        low, high = float(values.min()), float(values.max())
    if high == low:
        return np.zeros(values.shape, np.uint8)
    scaled = np.clip((values.astype(np.float32) - low) * (255 / (high - low)), 0, 255)
    return np.rint(scaled, out=scaled).astype(np.uint8)


def _name(file: Source, name: str | None) -> str:
    return name or (os.fspath(file) if isinstance(file, str | os.PathLike) else "image")


def _opened(file: Source, name: str):
    if isinstance(file, bytes):
        return io.BytesIO(file)
    if not isinstance(file, str | os.PathLike):
        return nullcontext(file)
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise ValueError(f"{name}: cannot be opened ({error.strerror}); {_EXPECTED}") from error


def _read(file: Source, name: str | None) -> tuple[np.ndarray, bool]:
    """Return (height, width) grey values of the file's own depth, and whether white is the lowest."""
    name = _name(file, name)
    with _opened(file, name) as stream, warnings.catch_warnings():
        # Pillow and pydicom gossip about metadata; what matters here is an error, or a picture.
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        values, inverted = (_dicom if _is_dicom(stream, name) else _picture)(stream, name)
    if values.dtype.kind == "f":
        finite = np.isfinite(values)
        if not finite.any():
            raise ValueError(f"{name}: not one pixel is a finite number; {_EXPECTED}")
        if not finite.all():
            values = np.where(finite, values, values[finite].min())
    return values, inverted


def _is_dicom(stream: BinaryIO, name: str) -> bool:
    length = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if length == 0:
        raise ValueError(f"{name}: the file is empty (0 bytes); {_EXPECTED}")
    if length > MAX_BYTES:
        raise ValueError(f"{name}: the file has {length:,} bytes; expected at most {MAX_BYTES:,}")
    signature = stream.read(132)[128:]
    stream.seek(0)
    return signature == b"DICM" or name.lower().endswith((".dcm", ".dicom"))


def _check_size(width: int, height: int, name: str) -> None:
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError(f"{name}: the image is {width} x {height} pixels; expected sides of 1 to {MAX_SIDE}")


def _unreadable(name: str, error: Exception) -> ValueError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return ValueError(f"{name}: cannot be decoded, truncated or damaged? ({reason}); {_EXPECTED}")


def _picture(stream: BinaryIO, name: str) -> tuple[np.ndarray, bool]:
    # A damaged file can make a decoder raise nearly anything, hence the broad excepts.
    try:
        image = Image.open(stream, formats=("PNG", "JPEG", "BMP", "TIFF"))
        pages = image.n_frames if image.format == "TIFF" else 1
    except Image.UnidentifiedImageError:
        raise ValueError(f"{name}: this is not an image of a known kind; {_EXPECTED}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError(
            f"{name}: far more pixels than any radiograph has; expected sides of 1 to {MAX_SIDE}"
        ) from None
    except Exception as error:
        raise _unreadable(name, error) from error
    _check_size(*image.size, name)
    if pages > 1:
        raise ValueError(f"{name}: holds {pages} pages; {_EXPECTED}")
    try:
        deep = image.mode in ("I", "F") or image.mode.startswith("I;")
    except Exception as error:
        raise _unreadable(name, error) from error
    if not deep and _loses_bits(image):
        raise ValueError(f"{name}: 16 bits in each of several channels, or signed 8 bits; save it as grey of 8 or 16")
    try:
        # Pillow inverts a white-is-zero TIFF of up to 8 bits, but hands a deeper one over as it is stored.
        inverted = deep and image.format == "TIFF" and image.tag_v2.get(262) == 0
        image = ImageOps.exif_transpose(image)
        if not deep:
            if image.has_transparency_data:
                black = Image.new("RGBA", image.size, "black")
                image = Image.alpha_composite(black, image.convert("RGBA"))
            image = image.convert("L")
        return np.asarray(image), inverted
    except Exception as error:
        raise _unreadable(name, error) from error


def _loses_bits(image: Image.Image) -> bool:
    """Tell whether Pillow opens a picture as 8 bits that has more, or that has a sign."""
    if image.format not in ("PNG", "TIFF"):  # a BMP of 16 bits has 5 or 6 for each colour
        return False
    if image.format == "TIFF":  # BitsPerSample, and SampleFormat: 2 has a sign
        return max(image.tag_v2.get(258, (1,))) > 8 or 2 in image.tag_v2.get(339, ())
    return any(";16" in str(tile[3]) for tile in image.tile)


def _dicom_dataset(stream: BinaryIO, name: str, stop_before_pixels: bool = False):
    import pydicom  # costs a command that reads no DICOM a tenth of a second

    # pydicom inflates a deflated data set without bound before anything in it can be checked.
    if _DEFLATED in stream.read(2048):
        raise ValueError(f"{name}: deflated DICOM is not read; save it uncompressed")
    stream.seek(0)
    try:
        return pydicom.dcmread(stream, force=True, stop_before_pixels=stop_before_pixels)
    except Exception as error:
        raise _unreadable(name, error) from error


def _drop_unusable(dataset) -> None:
    """Take out rescaling without a value, and a display window without a width: some exports write such."""
    for key in ("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth"):
        if key in dataset and dataset[key].is_empty:
            del dataset[key]
    if "WindowWidth" in dataset and np.min(np.asarray(dataset.WindowWidth, float)) < 1:
        del dataset.WindowWidth


def _padding(values: np.ndarray, dataset) -> np.ndarray:
    """Return which stored values mean that there is no pixel: one, or the range from it to a limit."""
    first = dataset.get("PixelPaddingValue")
    limit = dataset.get("PixelPaddingRangeLimit", first)
    if not (isinstance(first, int) and isinstance(limit, int)):
        return np.zeros(values.shape, bool)
    if values.dtype == np.int16:  # some write the same bits as a number without a sign
        first, limit = (value - 0x10000 if value > 0x7FFF else value for value in (first, limit))
    return (values >= min(first, limit)) & (values <= max(first, limit))


def _dicom(stream: BinaryIO, name: str) -> tuple[np.ndarray, bool]:
    from pydicom import pixels
    from pydicom.uid import ImplicitVRLittleEndian

    dataset = _dicom_dataset(stream, name)
    if "PixelData" not in dataset:
        raise ValueError(f"{name}: DICOM without pixel data; {_EXPECTED}")
    try:
        rows, columns = int(dataset.Rows), int(dataset.Columns)
        frames = int(dataset.get("NumberOfFrames") or 1)
        kind = dataset.PhotometricInterpretation
        # Without a file header, as some old archives store it, the standard's default encoding holds.
        syntax = dataset.file_meta.setdefault("TransferSyntaxUID", ImplicitVRLittleEndian).value
    except Exception as error:
        raise _unreadable(name, error) from error
    _check_size(columns, rows, name)
    if frames > 1:
        raise ValueError(f"{name}: holds {frames} frames; {_EXPECTED}")
    if kind == "PALETTE COLOR":
        raise ValueError(f"{name}: DICOM in palette colours; expected grey or RGB")
    try:
        values = pixels.pixel_array(dataset)
        if values.ndim == 3:
            return np.asarray(Image.fromarray(values).convert("L")), False
        _drop_unusable(dataset)
        padding = _padding(values, dataset)
        values = pixels.apply_voi_lut(pixels.apply_modality_lut(values, dataset), dataset)
        if padding.any() and not padding.all():
            others = values[~padding]
            deep, dark = values.dtype != np.uint8, 100 if kind == "MONOCHROME1" else 0
            fill = np.percentile(others, abs(dark - 0.1) if deep else dark)
            values = np.where(padding, fill, values).astype(np.float64 if deep else np.uint8)
    except RuntimeError as error:  # pydicom's word for a compression that no installed plugin decodes
        raise ValueError(
            f"{name}: no decoder for this DICOM's compression ({syntax.name}); "
            "save it uncompressed, or install python-gdcm"
        ) from error
    except Exception as error:
        raise _unreadable(name, error) from error
    return values, kind == "MONOCHROME1"
