"""Decode the pixels of a DICOM radiograph as they are meant to be displayed, and the spacing of its pixels.

The grey-scale pipeline of the standard: stored value, modality transformation, VOI transformation, polarity
(DICOM PS3.3, C.11.1, C.11.2 and C.11.6). The steps are our own, because pydicom inverts a windowed image with a
negative rescale slope and misreads look-up tables of 8-bit entries.
"""

import math
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import BinaryIO

import numpy as np
import pydicom
from PIL import Image
from pydicom import pixels, uid
from pydicom.encaps import get_frame

from cxrseg.data.read.images import EXPECTED, MAX_BYTES, check_size, unreadable

MAX_SPACING = 100
"""Spacing of pixels above which the file must be wrong, in millimetres (a chest would fill fewer than ten)."""

_DECODED_BY_PYDICOM = {
    uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian, uid.RLELossless, uid.JPEGBaseline8Bit, uid.JPEG2000Lossless, uid.JPEG2000,
}  # fmt: skip

# pydicom's own decoders of these use GDCM, which crashes on damaged streams, and libjpeg, which is under the GPL and
# takes a broken-off stream for a whole one.
_DECODED_BY_IMAGECODECS = {
    uid.JPEGExtended12Bit: "jpeg8_decode",
    uid.JPEGLossless: "jpeg8_decode",
    uid.JPEGLosslessSV1: "jpeg8_decode",
    uid.JPEGLSLossless: "jpegls_decode",
    uid.JPEGLSNearLossless: "jpegls_decode",
    uid.HTJ2KLossless: "jpeg2k_decode",
    uid.HTJ2KLosslessRPCL: "jpeg2k_decode",
    uid.HTJ2K: "jpeg2k_decode",
}


def read(stream: BinaryIO, name: str) -> tuple[np.ndarray, bool]:
    """Decode the one frame of a DICOM file.

    Pixels that only fill up the rectangle (Pixel Padding Value) take the darkest value of the others.

    Parameters
    ----------
    stream : binary file object
    name : str
        What errors call the file.

    Returns
    -------
    values : (height, width) array
        uint8 where the file has 8 bits and no transformation, else deeper.
    inverted : bool
        Whether the lowest value is white (MONOCHROME1, or Presentation LUT Shape INVERSE).

    Raises
    ------
    ValueError
        One line that names the file: no pixels, several frames, palette colours, a compression that is not read,
        or a stream that cannot be decoded.
    """
    dataset = _dataset(stream, name)
    if "PixelData" not in dataset:
        if "Rows" in dataset or not len(dataset):  # pydicom gives up what it has read where a fragment breaks off
            raise unreadable(name, EOFError("DICOM without pixel data"))
        raise ValueError(f"{name}: DICOM without pixel data; {EXPECTED}")
    try:
        rows, columns = int(dataset.Rows), int(dataset.Columns)
        frames = int(dataset.get("NumberOfFrames") or 1)
        kind = dataset.PhotometricInterpretation = str(dataset.PhotometricInterpretation).strip().upper()
        # Without a file header, as some old archives store it, the standard's default encoding holds.
        syntax = dataset.file_meta.setdefault("TransferSyntaxUID", uid.ImplicitVRLittleEndian).value
    except Exception as error:
        raise unreadable(name, error) from error
    check_size(columns, rows, name)
    if frames > 1:
        raise ValueError(f"{name}: holds {frames} frames; {EXPECTED}")
    if kind == "PALETTE COLOR":
        raise ValueError(f"{name}: DICOM in palette colours; expected grey or RGB")
    if syntax not in _DECODED_BY_PYDICOM and syntax not in _DECODED_BY_IMAGECODECS:
        raise ValueError(f"{name}: DICOM compressed as {syntax.name} is not read; export it uncompressed, or as PNG")
    if syntax in _DECODED_BY_IMAGECODECS and not find_spec("imagecodecs"):
        raise ValueError(f"{name}: DICOM compressed as {syntax.name} needs imagecodecs: pip install 'cxrseg[codecs]'")
    try:
        if syntax in _DECODED_BY_IMAGECODECS:
            _decompress(dataset, syntax)
        values = _stored(pixels.pixel_array(dataset, correct_unused_bits=False), dataset)
        if values.ndim == 3:
            bits = int(dataset.BitsStored)
            eight = values if bits == 8 else np.rint(values * (255 / (2**bits - 1)))
            return np.asarray(Image.fromarray(eight.astype(np.uint8)).convert("L")), False
        return _displayed(values, dataset, kind)
    except Exception as error:
        raise unreadable(name, error) from error


def spacing(stream: BinaryIO, name: str) -> tuple[float, float] | None:
    """Return the spacing of rows and of columns, millimetres, or None where the file does not state it.

    Pixel Spacing (0028,0030) where present, else Imager Pixel Spacing (0018,1164). The latter is measured at the
    detector, where the body is magnified by a few per cent.
    """
    dataset = _dataset(stream, name, stop_before_pixels=True)
    for key in ("PixelSpacing", "ImagerPixelSpacing"):
        try:
            row, column = (float(value) for value in dataset.get(key) or ())
        except Exception:  # pydicom reads the element only now, and a damaged one raises whatever it meets
            continue
        if 0 < row < MAX_SPACING and 0 < column < MAX_SPACING:
            return row, column
    return None


def _dataset(stream: BinaryIO, name: str, stop_before_pixels: bool = False):
    try:
        _check_inflated(stream)
        return pydicom.dcmread(stream, force=True, stop_before_pixels=stop_before_pixels)
    except Exception as error:
        raise unreadable(name, error) from error


def _check_inflated(stream: BinaryIO) -> None:
    """Refuse a deflated data set that is longer than any radiograph, because pydicom inflates it without bound."""
    head = stream.read(2048)
    if uid.DeflatedExplicitVRLittleEndian.encode() in head:
        stream.seek(144 + int.from_bytes(head[140:144], "little"))  # behind the file's header, whose length this is
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        inflater.decompress(stream.read(), MAX_BYTES)
        if not inflater.eof:
            raise EOFError(f"the deflated data set breaks off, or has more than {MAX_BYTES:,} bytes")
    stream.seek(0)


def _decompress(dataset, syntax: uid.UID) -> None:
    """Replace the compressed frame of a data set with its pixels."""
    import imagecodecs  # only few files need it

    decoder = _DECODED_BY_IMAGECODECS[syntax]
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1).rstrip(b"\0\xff")
    if not frame.endswith(b"\xff\xd9"):  # the marker of the end; libjpeg would make up what is missing
        raise EOFError("the compressed stream breaks off")
    signed = decoder == "jpeg2k_decode" and dataset.PixelRepresentation == 1  # the others know no sign
    kind = np.dtype(f"{'i' if signed else 'u'}{1 if dataset.BitsStored <= 8 else 2}")
    shape = (int(dataset.Rows), int(dataset.Columns), int(dataset.SamplesPerPixel))
    # The data set says how much memory is taken, whatever size the stream claims.
    values = np.empty(shape if shape[2] > 1 else shape[:2], kind)
    getattr(imagecodecs, decoder)(frame, out=values)
    dataset.PixelData = values.tobytes()
    dataset["PixelData"].is_undefined_length = False
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    dataset.BitsAllocated, dataset.PlanarConfiguration = 8 * kind.itemsize, 0
    dataset.HighBit = dataset.BitsStored - 1
    colours = dataset.PhotometricInterpretation
    if colours.startswith("YBR") and (colours != "YBR_FULL" or syntax == uid.JPEGExtended12Bit):
        dataset.PhotometricInterpretation = "RGB"  # these the decoder has turned into it


def _stored(values: np.ndarray, dataset) -> np.ndarray:
    """Return the stored numbers, which end at High Bit: what lies in other bits, as an overlay does, is no part."""
    used = int(dataset.get("BitsStored") or dataset.BitsAllocated)
    if values.dtype.kind not in "iu" or used >= 8 * values.itemsize:
        return values
    below = max(0, int(dataset.get("HighBit") or 0) + 1 - used)
    numbers = values.astype(np.int64) >> below & (2**used - 1)
    if values.dtype.kind == "i":
        numbers = np.where(numbers >= 2 ** (used - 1), numbers - 2**used, numbers)
    return numbers.astype(values.dtype)


def _displayed(stored: np.ndarray, dataset, kind: str) -> tuple[np.ndarray, bool]:
    """Apply the modality and the VOI transformation, and say whether the lowest value is white."""
    inverted = kind == "MONOCHROME1" or str(dataset.get("PresentationLUTShape") or "").strip().upper() == "INVERSE"
    padding = _padding(stored, dataset)
    values, transformed = stored, False
    if modality := _modality(dataset, signed=stored.dtype.kind == "i"):
        values, transformed = modality(stored), True
    if voi := _voi(dataset, signed=bool(values.min() < 0)):
        shown = voi(values)
        kept = shown[~padding] if not padding.all() else shown
        if np.ptp(kept) > 0:  # else the window lies beside the values, and the picture would be blank
            values, transformed = shown, True
    if padding.any() and not padding.all():
        deep = transformed or values.dtype != np.uint8
        # Deep values are later stretched between percentiles 0.1 and 99.9: one dark pixel must not set the black.
        tail = 0.1 if deep else 0
        darkest = np.percentile(values[~padding], 100 - tail if inverted else tail)
        values = np.where(padding, darkest, values).astype(np.float64 if deep else np.uint8)
    return values, inverted


def _modality(dataset, signed: bool) -> Callable[[np.ndarray], np.ndarray] | None:
    """Return the modality LUT, or the rescaling, or None where there is none that tells values apart."""
    if sequence := dataset.get("ModalityLUTSequence"):
        return _lookup(sequence[0], signed)
    slope, intercept = _numbers(dataset, "RescaleSlope"), _numbers(dataset, "RescaleIntercept")
    if not slope or not intercept or slope[0] == 0 or not math.isfinite(slope[0] + intercept[0]):
        return None
    return lambda values: values * slope[0] + intercept[0]


def _voi(dataset, signed: bool) -> Callable[[np.ndarray], np.ndarray] | None:
    """Return the first VOI LUT, or the first usable window as a function to 0 to 1, or None."""
    if sequence := dataset.get("VOILUTSequence"):
        return _lookup(sequence[0], signed)
    shape = str(dataset.get("VOILUTFunction") or "LINEAR").strip().upper()
    for center, width in zip(_numbers(dataset, "WindowCenter"), _numbers(dataset, "WindowWidth"), strict=False):
        wide_enough = width > 0 if shape in ("LINEAR_EXACT", "SIGMOID") else width >= 1
        if wide_enough and math.isfinite(center + width):
            return _window(center, width, shape)
    return None


def _window(center: float, width: float, shape: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return the window function of PS3.3 C.11.2.1.2 and C.11.2.1.3, with a range of 0 to 1."""
    if shape == "SIGMOID":
        return lambda values: 1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -700, 700)))
    middle, extent = (center, width) if shape == "LINEAR_EXACT" else (center - 0.5, width - 1)
    if extent == 0:
        return lambda values: (values > middle).astype(float)
    return lambda values: np.clip((values - middle) / extent + 0.5, 0, 1)


def _lookup(item, signed: bool) -> Callable[[np.ndarray], np.ndarray]:
    """Return a look-up table as a function (PS3.3 C.11.1.1); values beside it take its first or its last entry.

    Entries of 8 bits may fill a word each, or share one, the first in its lower half.
    """
    n, first = int(item.LUTDescriptor[0]) or 65536, int(item.LUTDescriptor[1])
    if signed and first > 0x7FFF:  # some write a negative number as one without a sign
        first -= 0x10000
    data = item.LUTData
    table = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.atleast_1d(np.array(data)).astype("<u2")
    if len(table) < n:
        table = np.frombuffer(data if isinstance(data, bytes) else table.tobytes(), np.uint8).astype("<u2")
    if len(table) < n:
        raise ValueError(f"the look-up table has {len(table)} of {n} entries")
    return lambda values: table[np.clip(np.trunc(values).astype(np.int64) - first, 0, n - 1)]


def _numbers(dataset, key: str) -> list[float]:
    """Return the numbers of an attribute, which may be absent, empty, one or several."""
    value = dataset.get(key)
    if value is None or value == "":
        return []
    return [float(v) for v in (value if isinstance(value, list | pydicom.multival.MultiValue) else [value])]


def _padding(values: np.ndarray, dataset) -> np.ndarray:
    """Return which stored values mean that there is no pixel: one, or the range from it to a limit."""
    first = dataset.get("PixelPaddingValue")
    limit = dataset.get("PixelPaddingRangeLimit", first)
    if not (isinstance(first, int) and isinstance(limit, int)):
        return np.zeros(values.shape, bool)
    if values.dtype == np.int16:  # some write the same bits as a number without a sign
        first, limit = (value - 0x10000 if value > 0x7FFF else value for value in (first, limit))
    return (values >= min(first, limit)) & (values <= max(first, limit))
