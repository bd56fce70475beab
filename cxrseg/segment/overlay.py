"""Images of a result: the radiograph with tinted lungs, or the lungs alone."""

import numpy as np
from PIL import Image

from cxrseg.data.square import fitted

OVERLAY_SIDE = 1024
"""Longest side of an overlay in pixels. It is for viewing only; the mask file has the native resolution."""

TINT = np.array([0, 158, 115], np.float32)
"""Colour of the lungs in the overlay, in sRGB (Okabe and Ito's bluish green)."""


def overlay(image: np.ndarray, mask: np.ndarray) -> Image.Image:
    """Draw the radiograph with the lungs tinted and outlined, with sides of at most `OVERLAY_SIDE` pixels.

    Parameters
    ----------
    image : (height, width) uint8 array
    mask : (height, width) bool array
    """
    height, width = fitted(image.shape, min(OVERLAY_SIDE, max(image.shape)))
    grey = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2))
    inside = np.asarray(Image.fromarray(mask.view(np.uint8)).resize((width, height), Image.Resampling.NEAREST)) > 0
    padded = np.pad(inside, 2)
    core = padded[:-4, 2:-2] & padded[4:, 2:-2] & padded[2:-2, :-4] & padded[2:-2, 4:]
    tinted = np.arange(256)[:, None] * 0.75 + TINT * 0.25
    colours = np.stack([np.arange(256)[:, None].repeat(3, 1), tinted, np.tile(TINT, (256, 1))]).astype(np.uint8)
    part = inside.view(np.uint8) + (inside & ~core).view(np.uint8)  # 0 outside, 1 inside, 2 outline
    return Image.fromarray(colours[part, grey])


def cut_out(image: np.ndarray, mask: np.ndarray) -> Image.Image:
    """Crop the radiograph to the bounding box of the lungs and blacken the rest; an empty mask gives a black pixel."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return Image.new("L", (1, 1))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return Image.fromarray(np.where(mask[part], image[part], np.uint8(0)))
