"""Images of a result: the radiograph with tinted organs, or cropped to one structure."""

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from cxrseg.data.square import fitted
from cxrseg.measure.heart import Extent, extent

OVERLAY_SIDE = 1024
"""Longest side of an overlay in pixels. It is for viewing only; the mask file has the native resolution."""

COLOURS = {"lungs": (0, 158, 115), "heart": (213, 94, 0)}
"""Colours in the overlay, in sRGB (Okabe and Ito's bluish green and vermilion)."""

TINT = 0.25
"""Opacity of the colour inside an outline."""


def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Return the luminance of each part and grey level, (parts, 256), and the chrominance of each part, (2, parts).

    The parts are the outside, then the inside and the outline of each organ. They are tables because a loop over the
    pixels of a colour image takes longer than the network.
    """
    shares = [(0, (0, 0, 0))] + [(share, colour) for colour in COLOURS.values() for share in (TINT, 1)]
    grey = np.arange(256)[:, None].repeat(3, axis=1)
    colours = np.stack([grey * (1 - share) + np.multiply(colour, share) for share, colour in shares])
    converted = np.asarray(Image.fromarray(colours.round().astype(np.uint8)).convert("YCbCr"))
    return converted[..., 0].copy(), converted[:, 128, 1:].T.copy()


LUMINANCE, CHROMINANCE = _tables()
"""Luminance of each part of an overlay at each grey level, and its chrominance, as `_tables` returns them."""


def overlay(image: np.ndarray, lungs: np.ndarray, heart: np.ndarray | None = None, widths: bool = False) -> Image.Image:
    """Draw the radiograph with lungs and heart tinted and outlined, with sides of at most `OVERLAY_SIDE` pixels.

    Parameters
    ----------
    image : (height, width) uint8 array
    lungs : (height, width) bool array
    heart : (height, width) bool array, optional
    widths : bool
        Whether to draw the widths of heart and lungs, whose quotient is the cardiothoracic ratio.

    Returns
    -------
    PIL.Image.Image
        Mode ``"YCbCr"``, which a JPEG file stores.
    """
    height, width = fitted(image.shape, min(OVERLAY_SIDE, max(image.shape)))
    grey, organs = image, [mask.view(np.uint8) for mask in (lungs, heart) if mask is not None]
    if grey.shape != (height, width):
        grey = np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2))
        organs = [np.asarray(Image.fromarray(one).resize((width, height), Image.Resampling.NEAREST)) for one in organs]
    planes = [grey.copy(), *(np.full((height, width), kind[0]) for kind in CHROMINANCE)]
    # Only the organs are coloured, and they fill half of a radiograph.
    if box := _box(np.logical_or.reduce(organs), margin=2):
        part = _parts([organ[box] for organ in organs], widths)
        planes[0][box] = LUMINANCE.ravel().take(part.astype(np.uint16) * 256 + grey[box])
        for plane, kind in zip(planes[1:], CHROMINANCE, strict=True):
            plane[box] = kind.take(part)
    return Image.merge("YCbCr", [Image.fromarray(plane) for plane in planes])


def _parts(organs: list[np.ndarray], widths: bool) -> np.ndarray:
    """Return what each pixel shows, as an index into `LUMINANCE`, given uint8 masks with a margin of two pixels."""
    part, lines = np.zeros(organs[0].shape, np.uint8), []
    for number, inside in enumerate(organs):
        padded = np.pad(inside, 2)
        core = padded[:-4, 2:-2] & padded[4:, 2:-2] & padded[2:-2, :-4] & padded[2:-2, 4:]
        np.maximum(part, (2 * number + 2) * inside - (core & inside), out=part)
        if widths and (found := extent(inside)):
            lines.append((found, 2 * number + 2))
    for found, value in lines:
        _draw(part, found, value)
    return part


def _box(mask: np.ndarray, margin: int = 0) -> tuple[slice, slice] | None:
    """Return the rows and columns of a mask, with a margin, or None if it is empty."""
    box = []
    for axis in (1, 0):
        found = np.flatnonzero(mask.any(axis=axis))
        if not len(found):
            return None
        box.append(slice(max(0, found[0] - margin), found[-1] + 1 + margin))
    return box[0], box[1]


def _draw(part: np.ndarray, found: Extent, value: int) -> None:
    """Draw a width as a horizontal line, with vertical lines from its ends to where the organ reaches them."""
    level = (found.first_row + found.last_row) // 2
    part[max(0, level - 1) : level + 2, found.first : found.last + 1] = value
    for column, row in ((found.first, found.first_row), (max(0, found.last - 2), found.last_row)):
        part[min(row, level) : max(row, level) + 1, column : column + 3] = value


def cut_out(image: np.ndarray, mask: np.ndarray) -> Image.Image:
    """Crop the radiograph to the bounding box of a mask and blacken the rest; an empty mask gives a black pixel."""
    box = _box(mask)
    if not box:
        return Image.new("L", (1, 1))
    return Image.fromarray(np.where(mask[box], image[box], np.uint8(0)))


def write_mask(mask: np.ndarray, file: Path) -> None:
    """Write a mask as an 8-bit PNG file, 0 and 255.

    Pillow tries all filters on each row. That takes longer than the compression, and gains nothing on a mask.

    Parameters
    ----------
    mask : (height, width) bool array
    file : Path

    Raises
    ------
    OSError
        The file cannot be written.

    References
    ----------
    Portable Network Graphics (PNG) Specification, W3C, third edition, sections 5 (chunks) and 9 (filters).
    """
    height, width = mask.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with the number of its filter: 0 is none
    np.multiply(mask.view(np.uint8), 255, out=rows[:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)  # 8 bit, grey, not interlaced
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    with open(file, "wb") as stream:
        stream.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in chunks:
            stream.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
