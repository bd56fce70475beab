"""Read any radiograph as 8-bit grey."""

import io
import logging
import os
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

MAX_SIDE = 8192
"""Longest side read, pixels. A 43 cm detector with 0.1 mm pixels has 4,300. The largest file within this
limit takes 2 GB of memory to decode (windowed DICOM; 1.2 GB as PNG), and a strip padded to a square 0.1 GB."""

MAX_BYTES = 4 * MAX_SIDE**2
"""Longest file read, in bytes (four for every pixel of the largest image)."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".dcm", ".dicom")
"""File names that are taken for radiographs, in lower case."""

_TIFF = b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"
_NO_PICTURE = 1 | 4  # NewSubfileType: a smaller version of another page, or a transparency mask

for _library in ("PIL", "tifffile"):  # what they log about a damaged file, the error says
    logging.getLogger(_library).addHandler(logging.NullHandler())

EXPECTED = "expected one PNG, JPEG, BMP, TIFF or DICOM image"
Source = str | os.PathLike | bytes | BinaryIO


def read_radiograph(file: Source, name: str | None = None) -> np.ndarray:
    """Read a radiograph as 8-bit grey, upright, with air dark and bone bright.

    Colour becomes luminance (ITU-R 601-2), transparency is laid on black, a palette is looked up and an
    EXIF orientation applied. Eight bits stay as they are. Anything deeper (16 bits, floating point, DICOM)
    is mapped linearly so that the 0.1st and the 99.9th percentile of its pixels become 0 and 255, and
    clipped: a 12-bit image in a 16-bit file is not nearly black, nor does one hot pixel darken the rest.
    DICOM values first go through the modality LUT (or rescale slope and intercept) and the first VOI LUT
    or window, where the file has them; MONOCHROME1 is inverted. Pixels that only fill up the rectangle
    (Pixel Padding Value, 0028,0120) take the dark percentile of the others, and so become black.

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
        One line that names the file: missing, empty, truncated, not an image, more than one page (beside thumbnails
        and transparency masks) or frame, more than 8 bits in each of several channels, signed 8-bit TIFF, integers of
        64 bits, a side over `MAX_SIDE` pixels or more than `MAX_BYTES`, no finite pixel, or DICOM without pixels, in
        palette colours or in a compression that is not read.

    Examples
    --------
    >>> picture = Image.new("RGB", (3, 2), "white")
    >>> file = io.BytesIO()
    >>> picture.save(file, "PNG")
    >>> read_radiograph(file.getvalue()).tolist()
    [[255, 255, 255], [255, 255, 255]]
    """
    values, inverted = _read(file, name)
    grey = values if values.dtype == np.uint8 else to_8_bit(values)
    return 255 - grey if inverted else grey


def read_pixels(file: Source, name: str | None = None, indices: bool = False) -> tuple[np.ndarray, bool]:
    """Read the pixels of a file as they are stored: for masks, whose values have a meaning of their own.

    Parameters
    ----------
    file, name
        As for `read_radiograph`; also GIF.
    indices : bool
        Whether a picture with a palette gives the places in it, and not the colours; one of 1 bit gives 0 and 1.

    Returns
    -------
    values : (height, width) array, or (height, width, 4) uint8 array
        Grey values of the file's own depth; or, of a picture in colours, red, green, blue and alpha.
    inverted : bool
        Whether the lowest value is white.

    Errors are those of `read_radiograph`.
    """
    return _read(file, name, "indices" if indices else "colours")


def pixel_spacing(file: Source, name: str | None = None) -> tuple[float, float] | None:
    """Return the spacing of rows and of columns in millimetres, or None where the file does not state it.

    DICOM's Pixel Spacing (0028,0030) where present, else Imager Pixel Spacing (0018,1164): the latter is
    measured at the detector, where the body is magnified by a few per cent. The resolution that pictures
    carry is meant for printers and is not used.

    Raises
    ------
    ValueError
        As for `read_radiograph`.
    """
    name = source_name(file, name)
    with opened(file, name) as stream:
        if not is_dicom(stream, name):
            return None
        from cxrseg.data.read import dicom  # importing pydicom takes a tenth of a second

        return dicom.spacing(stream, name)


def to_8_bit(values: np.ndarray) -> np.ndarray:
    """Map values linearly to uint8, so that their percentiles 0.1 and 99.9 become 0 and 255."""
    low, high = np.percentile(values, (0.1, 99.9))
    if high == low:  # nearly constant: the few other pixels are all that there is to see
        low, high = float(values.min()), float(values.max())
    if high == low:
        return np.zeros(values.shape, np.uint8)
    scaled = np.clip((values.astype(np.float32) - low) * (255 / (high - low)), 0, 255)
    return np.rint(scaled, out=scaled).astype(np.uint8)


def source_name(file: Source, name: str | None) -> str:
    """Return what errors call a file: the name given, or its path."""
    return name or (os.fspath(file) if isinstance(file, str | os.PathLike) else "image")


def opened(file: Source, name: str):
    """Open a file for reading, as a context; a file object that is given stays open."""
    if isinstance(file, bytes):
        return io.BytesIO(file)
    if not isinstance(file, str | os.PathLike):
        return nullcontext(file)
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise ValueError(f"{name}: cannot be opened ({error.strerror}); {EXPECTED}") from error


def _read(file: Source, name: str | None, form: str = "grey") -> tuple[np.ndarray, bool]:
    """Return (height, width) grey values of the file's own depth, and whether white is the lowest."""
    name = source_name(file, name)
    with opened(file, name) as stream, warnings.catch_warnings():
        # Warnings of Pillow and pydicom about metadata do not matter here; only an error does.
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        if is_dicom(stream, name):
            from cxrseg.data.read import dicom  # importing pydicom takes a tenth of a second

            values, inverted = dicom.read(stream, name)
        else:
            values, inverted = _picture(stream, name, form)
    if values.dtype.kind == "f" and not (finite := np.isfinite(values)).all():
        if form != "grey":
            raise ValueError(f"{name}: holds NaN or infinity; expected a mask of 0 and 1")
        if not finite.any():
            raise ValueError(f"{name}: not one pixel is a finite number; {EXPECTED}")
        values = np.where(finite, values, values[finite].min())
    return values, inverted


def is_dicom(stream: BinaryIO, name: str) -> bool:
    """Return whether a file is read as DICOM. Raise ValueError if it is empty or too large."""
    length = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if length == 0:
        raise ValueError(f"{name}: the file is empty (0 bytes); {EXPECTED}")
    if length > MAX_BYTES:
        raise ValueError(f"{name}: the file has {length:,} bytes; expected at most {MAX_BYTES:,}")
    signature = stream.read(132)[128:]
    stream.seek(0)
    return signature == b"DICM" or name.lower().endswith((".dcm", ".dicom"))


def check_size(width: int, height: int, name: str) -> None:
    """Refuse an image with a side of more than `MAX_SIDE` pixels, before it is decoded."""
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError(f"{name}: the image is {width} x {height} pixels; expected sides of 1 to {MAX_SIDE}")


def unreadable(name: str, error: Exception) -> ValueError:
    """Return the one-line error for a file that a decoder gave up on."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return ValueError(f"{name}: cannot be decoded, truncated or damaged? ({reason}); {EXPECTED}")


def _picture(stream: BinaryIO, name: str, form: str) -> tuple[np.ndarray, bool]:
    # A damaged file can make a decoder raise nearly anything, hence the broad excepts.
    try:
        # GIF has 256 colours at most: enough for a mask, too few for a radiograph.
        formats = ("PNG", "JPEG", "BMP", "TIFF", "GIF") if form != "grey" else ("PNG", "JPEG", "BMP", "TIFF")
        image: Image.Image = Image.open(stream, formats=formats)
        pages = _pages(image)
        if not pages:
            raise EOFError("only a thumbnail")
        # Pillow inverts a white-is-zero TIFF of up to 8 bits, but hands a deeper one over as it is stored.
        white_is_zero = isinstance(image, TiffImageFile) and image.tag_v2.get(262) == 0
    except Image.UnidentifiedImageError:
        image, pages, white_is_zero = _other_tiff(stream, name)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError(
            f"{name}: far more pixels than any radiograph has; expected sides of 1 to {MAX_SIDE}"
        ) from None
    except Exception as error:
        raise unreadable(name, error) from error
    check_size(*image.size, name)
    if pages != 1:
        raise ValueError(f"{name}: holds {pages} pages; {EXPECTED}")
    try:
        deep = image.mode in ("I", "F") or image.mode.startswith("I;")
    except Exception as error:
        raise unreadable(name, error) from error
    if not deep and _loses_bits(image):
        raise ValueError(f"{name}: 16 bits in each of several channels, or signed 8 bits; save it as 8- or 16-bit grey")
    try:
        if isinstance(image, TiffImageFile):
            from cxrseg.terminal import silent  # importing typer takes a tenth of a second

            with silent():  # libtiff prints what it thinks of a damaged file
                image.load()
        image = ImageOps.exif_transpose(image)
        if not deep:
            if form == "indices" and image.mode in ("1", "P"):
                return np.asarray(image).astype(np.uint8), False
            if form != "grey" and image.mode not in ("1", "L"):
                return np.asarray(image.convert("RGBA")), False
            if image.has_transparency_data:
                black = Image.new("RGBA", image.size, "black")
                image = Image.alpha_composite(black, image.convert("RGBA"))
            image = image.convert("L")
        return np.asarray(image), deep and white_is_zero
    except Exception as error:
        raise unreadable(name, error) from error


def _pages(image: Image.Image) -> int:
    """Go to the first page that is a picture of its own, and return how many such pages there are."""
    if not isinstance(image, TiffImageFile):
        return getattr(image, "n_frames", 1) if image.format == "GIF" else 1
    own = []
    for page in range(image.n_frames):
        image.seek(page)
        if not image.tag_v2.get(254, 0) & _NO_PICTURE:
            own.append(page)
    image.seek(own[0] if own else 0)
    return len(own)


def _other_tiff(stream: BinaryIO, name: str) -> tuple[Image.Image, int, bool]:
    """Open a TIFF that Pillow does not know: floating point of 16 or 64 bits.

    Returns the picture, the number of pages, and whether the lowest value is white.
    """
    stream.seek(0)
    if stream.read(4) not in _TIFF:
        raise ValueError(f"{name}: this is not an image of a known kind; {EXPECTED}")
    import tifffile  # only few files need it

    stream.seek(0)
    try:
        every: list[Any] = list(tifffile.TiffFile(stream).pages)
        pages = [page for page in every if not page.subfiletype & _NO_PICTURE]
        if not pages:
            raise EOFError("its list of pages is missing")
        page = pages[0]
        size = max(page.imagewidth, page.tilewidth), max(page.imagelength, page.tilelength)
    except Exception as error:
        raise unreadable(name, error) from error
    check_size(*size, name)
    if page.dtype is None or page.dtype.kind != "f" or len(page.shape) != 2:
        kind = f"{page.bitspersample} bits" if page.dtype is None else page.dtype.name
        raise ValueError(f"{name}: a TIFF of {kind} x {page.shape}, damaged or not read; expected grey of 8 or 16 bits")
    try:
        with np.errstate(all="ignore"):  # a number too large for 32 bits becomes infinite
            image = Image.fromarray(page.asarray().astype(np.float32))
        if "Orientation" in page.tags:
            image.getexif()[274] = int(page.tags["Orientation"].value)
    except Exception as error:
        raise unreadable(name, error) from error
    return image, len(pages), page.photometric == 0


def _loses_bits(image: Image.Image) -> bool:
    """Return whether Pillow reduces a picture to 8 bits that has more bits, or signed ones."""
    if image.format not in ("PNG", "TIFF"):  # a BMP of 16 bits has 5 or 6 for each colour
        return False
    if isinstance(image, TiffImageFile):  # BitsPerSample, and SampleFormat: 2 has a sign
        return max(image.tag_v2.get(258, (1,))) > 8 or 2 in image.tag_v2.get(339, ())
    return any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))
