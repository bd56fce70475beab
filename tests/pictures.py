"""Odd files, each with the picture that it shows: read by the tests of the package and by those of the page.

What a DICOM file shows is worked out here from the standard (PS3.3, C.11.1, C.11.2, C.7.6.3 and C.11.6).
"""

import io
import warnings
from typing import NamedTuple

import numpy as np
import pydicom
import tifffile
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian

SHAPE = (40, 56)


def planted() -> np.ndarray:
    """Black, with a white rectangle off every centre and a grey one, so that any flip or turn shows."""
    picture = np.zeros(SHAPE, np.uint8)
    picture[5:15, 8:30] = 255
    picture[25:38, 40:50] = 128
    return picture


GREY = Image.fromarray(planted())
RGB = GREY.convert("RGB")


def as_tone(grey: np.ndarray, dark: int, bright: int, dtype) -> np.ndarray:
    return (dark + grey.astype(float) / 255 * (bright - dark)).round().astype(dtype)


def saved(picture: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def tiff(*pages: np.ndarray, thumbnail: int | None = None, **options) -> bytes:
    """Write a TIFF; `thumbnail` is the index of a page that is a smaller version of another."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file, byteorder=options.pop("byteorder", None)) as writer:
        for index, page in enumerate(pages):
            writer.write(page, subfiletype=int(index == thumbnail), **options)
    return file.getvalue()


def dicom(values: np.ndarray | None, kind: str = "MONOCHROME2", **tags) -> bytes:
    """Write (rows, columns), (rows, columns, 3) or (3, rows, columns) integers as DICOM, all of whose bits are used."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, kind
    if values is not None:
        if values.ndim == 3:
            dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "RGB"
            dataset.PlanarConfiguration = int(values.shape[0] == 3)
        dataset.Rows, dataset.Columns = [side for side in values.shape if side != 3]
        dataset.BitsAllocated = dataset.BitsStored = 8 * values.itemsize
        dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, int(values.dtype.kind == "i")
        dataset.PixelData = values.tobytes() + bytes(values.nbytes % 2)
        dataset["PixelData"].VR = "OW" if values.itemsize == 2 else "OB"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # values that the standard does not allow, but that exist
        for tag, value in tags.items():
            setattr(dataset, tag, value)
        file = io.BytesIO()
        dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


IDENTITY = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1", "SOPInstanceUID": "1.2.3", "StudyInstanceUID": "1.2.4",
    "SeriesInstanceUID": "1.2.5", "Modality": "CR",
}  # fmt: skip
"""What objects that refer to a radiograph need of it."""

# Pictures. Each shows `planted()`: exactly, within one level, or nearly.

LOSSLESS = {
    "png": saved(GREY, "PNG"),
    "bmp": saved(GREY, "BMP"),
    "tiff": saved(GREY, "TIFF"),
    "tiff, LZW": saved(GREY, "TIFF", compression="tiff_lzw"),
    "tiff, white is zero": tiff(255 - planted(), photometric="miniswhite"),
    "tiff, thumbnail behind": tiff(planted(), planted()[::4, ::4], thumbnail=1),
    "tiff, thumbnail before": tiff(planted()[::4, ::4], planted(), thumbnail=0),
    "png, RGB": saved(RGB, "PNG"),
    "png, opaque RGBA": saved(GREY.convert("RGBA"), "PNG"),
    "png, grey with alpha": saved(GREY.convert("LA"), "PNG"),
    "png, palette": saved(RGB.quantize(8), "PNG"),
    "bmp, palette": saved(RGB.quantize(8), "BMP"),
    "dicom": dicom(planted()),
    "dicom, MONOCHROME1": dicom(255 - planted(), "MONOCHROME1"),
}

DEEP = {
    "png, 16 bit": saved(Image.fromarray(planted().astype(np.uint16) * 257), "PNG"),
    "png, 12 in 16 bit": saved(Image.fromarray(as_tone(planted(), 100, 4000, np.uint16)), "PNG"),
    "tiff, 16 bit, big endian": tiff(as_tone(planted(), 7, 50_000, ">u2"), byteorder=">"),
    "tiff, 16 bit, white is zero": tiff(as_tone(planted(), 4000, 100, np.uint16), photometric="miniswhite"),
    "tiff, 32-bit float": tiff(planted().astype(np.float32) / 255),
    "tiff, negative float": tiff(planted().astype(np.float32) - 1000),
    "tiff, 64-bit float": tiff(planted() / 255),
    "tiff, 64-bit float, packed": tiff(planted() / 255, compression="zlib", predictor=True),
    "tiff, 64-bit float, white is zero": tiff(1 - planted() / 255, photometric="miniswhite"),
    "tiff, 64-bit float, turned": tiff(planted()[::-1] / 255, extratags=[(274, "H", 1, 4, True)]),
    "tiff, 64-bit float, thumbnail behind": tiff(planted() / 255, planted()[::4, ::4] / 255, thumbnail=1),
    "tiff, 16-bit float": tiff(planted().astype(np.float16)),
    "tiff, 16-bit float, big endian": tiff(planted().astype(">f2"), byteorder=">"),
    "dicom, 16 bit": dicom(as_tone(planted(), 300, 3500, np.uint16)),
    "dicom, signed": dicom(as_tone(planted(), -900, 700, np.int16)),
    "dicom, MONOCHROME1": dicom(as_tone(planted(), 3500, 300, np.uint16), "MONOCHROME1"),
}

# EXIF: how the stored picture follows from the upright one (TIFF 6.0, tag 274).
STORED_AS = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.T,
    6: lambda upright: np.rot90(upright),
    7: lambda upright: upright[::-1, ::-1].T,
    8: lambda upright: np.rot90(upright, -1),
}


def turned(kind: str, orientation: int, depth: int = 8, **options) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    stored = np.ascontiguousarray(STORED_AS[orientation](planted()))
    return saved(Image.fromarray(stored.astype(np.uint16) * 257 if depth == 16 else stored), kind, exif=exif, **options)


LOSSLESS |= {f"{kind.lower()}, orientation {n}": turned(kind, n) for kind in ("PNG", "TIFF") for n in STORED_AS}
DEEP |= {f"png, 16 bit, orientation {n}": turned("PNG", n, depth=16) for n in STORED_AS}
NEAR = {"jpeg": saved(GREY, "JPEG", quality=95)}
NEAR |= {f"jpeg, orientation {n}": turned("JPEG", n, quality=95) for n in STORED_AS}


# DICOM files of 12 bits, each odd in one way.


class Odd(NamedTuple):
    """A DICOM file, and the levels of 0 to 255 that it shows; None where it has to be refused."""

    tags: dict
    levels: np.ndarray | None
    stored: np.ndarray
    in_dcmtk: bool = True  # whether DCMTK shows the same

    def file(self) -> bytes:
        own = {} if self.stored.itemsize == 1 else {"BitsStored": 12, "HighBit": 11}
        return dicom(self.stored, ImagerPixelSpacing=[0.2, 0.3], **{**own, **self.tags})


VALUES = np.random.default_rng(5).integers(0, 4096, (37, 53), np.uint16)
V = VALUES.astype(float)
CURVE = (np.arange(4096) / 4095) ** 0.7
BYTES = np.floor(255 * CURVE)
PADDED = np.vstack([np.full((9, 53), 7, np.uint16), VALUES[9:].clip(1000)])
KEPT = np.where(PADDED == 7, np.nan, PADDED)
COLOURS = np.random.default_rng(6).integers(0, 4096, (37, 53, 3), np.uint16)
WHOLE = {"BitsStored": 16, "HighBit": 15}
INVERTED = {"PhotometricInterpretation": "MONOCHROME1"}


def stretched(shown: np.ndarray) -> np.ndarray:
    """Map percentiles 0.1 and 99.9 to 0 and 255; what is no number is no pixel, and black."""
    low, high = np.nanpercentile(shown, (0.1, 99.9))
    return np.nan_to_num(np.clip((shown - low) / (high - low), 0, 1) * 255)


def windowed(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)


def luminance(colours: np.ndarray) -> np.ndarray:
    return colours @ [0.299, 0.587, 0.114]


def table(entries, bits: int, first: int = 0, packed: bool = False) -> list[Dataset]:
    """Return a LUT sequence; packed: two entries of 8 bits share a word."""
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item.add_new("LUTData", "OW", np.asarray(entries, "u1" if packed else "<u2").tobytes())
    return [item]


def broken_off(sequence: list[Dataset]) -> list[Dataset]:
    sequence[0].LUTData = sequence[0].LUTData[:100]
    return sequence


def window(center, width, **tags) -> dict:
    return {"WindowCenter": center, "WindowWidth": width, **tags}


def rescaled(slope, intercept, **tags) -> dict:
    return {"RescaleSlope": slope, "RescaleIntercept": intercept, **tags}


# DCMTK takes the first window even if its width is 0, blackens padding otherwise, and ignores slope 0 and the shape.
ODD = {
    "plain": Odd({}, stretched(V), VALUES),
    "inverted": Odd(INVERTED, stretched(-V), VALUES),
    "lower case": Odd({"PhotometricInterpretation": "monochrome1"}, stretched(-V), VALUES),
    "inverse shape": Odd({"PresentationLUTShape": "INVERSE"}, stretched(-V), VALUES, in_dcmtk=False),
    "identity": Odd({"PresentationLUTShape": "IDENTITY"}, stretched(V), VALUES),
    "empty values": Odd(
        rescaled("", "", **window("", "", VOILUTSequence=[], PixelPaddingValue=None)), stretched(V), VALUES
    ),
    "window": Odd(window(2000, 1500), stretched(windowed(V, 2000, 1500)), VALUES),
    "inverted window": Odd(window(2000, 1500, **INVERTED), stretched(-windowed(V, 2000, 1500)), VALUES),
    "window of width 0": Odd(window(2000, 0), stretched(V), VALUES, in_dcmtk=False),
    "window of width 1": Odd(window(2000, 1), stretched(1.0 * (V > 1999.5)), VALUES, in_dcmtk=False),
    "exact window of width 1": Odd(
        window(2000, 1, VOILUTFunction="LINEAR_EXACT"), stretched(np.clip(V - 1999.5, 0, 1)), VALUES, in_dcmtk=False
    ),
    "window of negative width": Odd(window(2000, -9), stretched(V), VALUES, in_dcmtk=False),
    "window that is no number": Odd(window("NaN", 1500), stretched(V), VALUES, in_dcmtk=False),
    "second window": Odd(window([5, 2000], [0, 1500]), stretched(windowed(V, 2000, 1500)), VALUES, in_dcmtk=False),
    "several windows": Odd(window([2000, 9], [1500, 9]), stretched(windowed(V, 2000, 1500)), VALUES),
    "window beside": Odd(window(-9000, 100), stretched(V), VALUES, in_dcmtk=False),
    "exact": Odd(
        window(2000, 1500, VOILUTFunction="LINEAR_EXACT"), stretched(np.clip((V - 2000) / 1500 + 0.5, 0, 1)), VALUES
    ),
    "sigmoid": Odd(
        window(1000, 900, VOILUTFunction="SIGMOID"), stretched(1 / (1 + np.exp(-4 * (V - 1000) / 900))), VALUES
    ),
    "sigmoid in lower case": Odd(
        window(1000, 900, VOILUTFunction="sigmoid"), stretched(1 / (1 + np.exp(-4 * (V - 1000) / 900))), VALUES,
        in_dcmtk=False,
    ),
    "rescaled": Odd(
        rescaled("2.5", "-700", **window(3000, 4000)), stretched(windowed(2.5 * V - 700, 3000, 4000)), VALUES
    ),
    "negative slope": Odd(rescaled("-1", "4095"), stretched(-V), VALUES),
    "negative slope, window": Odd(
        rescaled("-1", "4095", **window(2000, 1500)), stretched(windowed(4095 - V, 2000, 1500)), VALUES
    ),
    "slope 0": Odd(rescaled("0", "5"), stretched(V), VALUES, in_dcmtk=False),
    "slope that is no number": Odd(rescaled("NaN", "5"), stretched(V), VALUES, in_dcmtk=False),
    "modality table": Odd({"ModalityLUTSequence": table(65535 * CURVE, 16)}, stretched(CURVE[VALUES]), VALUES),
    "table": Odd({"VOILUTSequence": table(65535 * CURVE, 16)}, stretched(CURVE[VALUES]), VALUES),
    "table of 8 bits": Odd({"VOILUTSequence": table(BYTES, 8)}, stretched(BYTES[VALUES]), VALUES),
    "packed table": Odd({"VOILUTSequence": table(BYTES, 8, packed=True)}, stretched(BYTES[VALUES]), VALUES),
    "table from 1000": Odd(
        {"VOILUTSequence": table(65535 * CURVE[::2], 16, first=1000)},
        stretched(CURVE[2 * (VALUES.astype(int) - 1000).clip(0, 2047)]), VALUES,
    ),
    "table and window": Odd(
        window(100, 50, VOILUTSequence=table(BYTES, 8)), stretched(BYTES[VALUES]), VALUES
    ),
    "no table but a window": Odd(window(2000, 1500, VOILUTSequence=[]), stretched(windowed(V, 2000, 1500)), VALUES),
    "table broken off": Odd({"VOILUTSequence": broken_off(table(65535 * CURVE, 16))}, None, VALUES, in_dcmtk=False),
    "signed": Odd(WHOLE, stretched(V), VALUES.astype(np.int16) - 2000),
    "signed, 12 bits": Odd({"PixelRepresentation": 1}, stretched(V), (VALUES - np.uint16(2048)) & np.uint16(0xFFF)),
    "signed, table": Odd(
        {**WHOLE, "VOILUTSequence": table(BYTES, 8, -2000)}, stretched(BYTES[VALUES]),
        VALUES.astype(np.int16) - 2000,
    ),
    "padded": Odd({"PixelPaddingValue": 7}, stretched(KEPT), PADDED, in_dcmtk=False),
    "padded range, inverted": Odd(
        {**INVERTED, "PixelPaddingValue": 7, "PixelPaddingRangeLimit": 900}, stretched(-KEPT), PADDED, in_dcmtk=False
    ),
    "padded, window": Odd(
        window(2000, 3500, PixelPaddingValue=7), stretched(windowed(KEPT, 2000, 3500)), PADDED, in_dcmtk=False
    ),
    "overlay in the upper bits": Odd({}, stretched(V), VALUES + np.uint16(0x5000)),
    "overlay, signed": Odd(
        {"PixelRepresentation": 1}, stretched(np.where(V < 2048, V, V - 4096)), VALUES + np.uint16(0x5000)
    ),
    "bits up to the highest": Odd({"HighBit": 15}, stretched(V), (VALUES << 4) + np.uint16(5)),
    "bits up to the highest, signed": Odd(
        {"HighBit": 15, "PixelRepresentation": 1}, stretched(np.where(V < 2048, V, V - 4096)),
        (VALUES << 4) + np.uint16(5),
    ),
    "bits up to the last but one": Odd({"HighBit": 14}, stretched(V), (VALUES << 3) + np.uint16(0x8005)),
    "8 bits": Odd({}, VALUES // 16, (VALUES // 16).astype(np.uint8)),
    "8 bits, inverted": Odd(INVERTED, 255 - VALUES // 16, (VALUES // 16).astype(np.uint8)),
    "8 bits, window": Odd(
        window(120, 100), stretched(windowed(VALUES // 16, 120, 100)), (VALUES // 16).astype(np.uint8)
    ),
    "RGB": Odd({}, luminance(COLOURS // 16), (COLOURS // 16).astype(np.uint8)),
    "RGB by plane": Odd({}, luminance(COLOURS // 16), (COLOURS // 16).astype(np.uint8).transpose(2, 0, 1)),
    "RGB of 12 bits": Odd({}, luminance(COLOURS / 4095 * 255), COLOURS),
    "dark RGB of 12 bits": Odd({}, luminance(COLOURS / 8 / 4095 * 255), COLOURS // 8),
}  # fmt: skip


def compressed(frame: bytes, syntax: str, values: np.ndarray = VALUES, **tags) -> bytes:
    """Put a compressed frame into a DICOM file."""
    dataset = pydicom.dcmread(io.BytesIO(dicom(values, **tags)))
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()
