"""Images of a result: the radiograph with tinted organs, or cropped to one structure."""

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
    grey = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2))
    part, lines = np.zeros((height, width), np.uint8), []
    for number, mask in enumerate((lungs, heart)):
        if mask is None:
            continue
        inside = np.asarray(Image.fromarray(mask.view(np.uint8)).resize((width, height), Image.Resampling.NEAREST))
        padded = np.pad(inside, 2)
        core = padded[:-4, 2:-2] & padded[4:, 2:-2] & padded[2:-2, :-4] & padded[2:-2, 4:]
        np.maximum(part, (2 * number + 2) * inside - (core & inside), out=part)
        if widths and (found := extent(inside)):
            lines.append((found, 2 * number + 2))
    for found, value in lines:
        _draw(part, found, value)
    planes = [np.take(LUMINANCE, part.astype(np.uint16) * 256 + grey), *(np.take(kind, part) for kind in CHROMINANCE)]
    return Image.merge("YCbCr", [Image.fromarray(plane) for plane in planes])


def _draw(part: np.ndarray, found: Extent, value: int) -> None:
    """Draw a width as a horizontal line, with vertical lines from its ends to where the organ reaches them."""
    level = (found.first_row + found.last_row) // 2
    part[max(0, level - 1) : level + 2, found.first : found.last + 1] = value
    for column, row in ((found.first, found.first_row), (max(0, found.last - 2), found.last_row)):
        part[min(row, level) : max(row, level) + 1, column : column + 3] = value


def cut_out(image: np.ndarray, mask: np.ndarray) -> Image.Image:
    """Crop the radiograph to the bounding box of a mask and blacken the rest; an empty mask gives a black pixel."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return Image.new("L", (1, 1))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return Image.fromarray(np.where(mask[part], image[part], np.uint8(0)))
