"""Decode the pixels of a DICOM radiograph, and the spacing of its pixels."""

from typing import BinaryIO

import numpy as np
import pydicom
from PIL import Image
from pydicom import pixels
from pydicom.uid import ImplicitVRLittleEndian

from cxrseg.data.images import EXPECTED, check_size, unreadable

MAX_SPACING = 100
"""Spacing of pixels above which the file must be wrong, millimetres: no chest would fill ten such pixels."""

_DEFLATED = b"1.2.840.10008.1.2.1.99\0"


def read(stream: BinaryIO, name: str) -> tuple[np.ndarray, bool]:
    """Decode the one frame of a DICOM file.

    Stored values go through the modality LUT (or rescale slope and intercept) and the first VOI LUT or window,
    where the file has them. Padding takes the darkest value of the rest.

    Parameters
    ----------
    stream : binary file object
    name : str
        What errors call the file.

    Returns
    -------
    values : (height, width) array
        uint8, or deeper where the file is.
    inverted : bool
        Whether the lowest value is white (MONOCHROME1).

    Raises
    ------
    ValueError
        One line that names the file: no pixels, several frames, palette colours, or a stream that cannot be decoded.
    """
    dataset = _dataset(stream, name)
    if "PixelData" not in dataset:
        raise ValueError(f"{name}: DICOM without pixel data; {EXPECTED}")
    try:
        rows, columns = int(dataset.Rows), int(dataset.Columns)
        frames = int(dataset.get("NumberOfFrames") or 1)
        kind = dataset.PhotometricInterpretation
        # Without a file header, as some old archives store it, the standard's default encoding holds.
        syntax = dataset.file_meta.setdefault("TransferSyntaxUID", ImplicitVRLittleEndian).value
    except Exception as error:
        raise unreadable(name, error) from error
    check_size(columns, rows, name)
    if frames > 1:
        raise ValueError(f"{name}: holds {frames} frames; {EXPECTED}")
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
        raise unreadable(name, error) from error
    return values, kind == "MONOCHROME1"


def spacing(stream: BinaryIO, name: str) -> tuple[float, float] | None:
    """Return the spacing of rows and of columns, millimetres, or None where the file does not state it.

    Pixel Spacing (0028,0030) where present, else Imager Pixel Spacing (0018,1164). The latter is measured at the
    detector, where the body is magnified by a few per cent.
    """
    dataset = _dataset(stream, name, stop_before_pixels=True)
    for key in ("PixelSpacing", "ImagerPixelSpacing"):
        try:
            row, column = (float(value) for value in dataset.get(key) or ())
        except (TypeError, ValueError):
            continue
        if 0 < row < MAX_SPACING and 0 < column < MAX_SPACING:
            return row, column
    return None


def _dataset(stream: BinaryIO, name: str, stop_before_pixels: bool = False):
    # pydicom inflates a deflated data set without bound before anything in it can be checked.
    if _DEFLATED in stream.read(2048):
        raise ValueError(f"{name}: deflated DICOM is not read; save it uncompressed")
    stream.seek(0)
    try:
        return pydicom.dcmread(stream, force=True, stop_before_pixels=stop_before_pixels)
    except Exception as error:
        raise unreadable(name, error) from error


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
