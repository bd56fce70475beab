"""Read a mask as true and false, after a look at its levels: a file that is no mask of one structure is refused.

A mask may hold grey levels along its outline, from anti-aliasing or JPEG. Inside, it has one level. Several levels or
colours inside are several structures, and many are a picture.
"""

import warnings
from functools import reduce

import numpy as np
from PIL import Image

from cxrseg.config import NEVER_EMPTY
from cxrseg.data.read.arrays import read_array
from cxrseg.data.read.images import Source, opened, read_pixels, source_name

SIDE = 512
"""Side in pixels from which on a mask is looked at in steps, because its levels show on a part of its pixels."""

SPREAD = 0.06
"""Difference between neighbours, and between the values of one level, as a share of the brightest value."""

LEAST = 0.01
"""Share of the pixels inside from which a level counts."""


class MaskWarning(UserWarning):
    """A mask was read in a way that its reader should know of; the same words for all masks of one kind."""


def read_mask(
    file: Source, name: str | None = None, structure: str = "lungs", values: tuple[int, ...] = ()
) -> np.ndarray:
    """Read a mask as true and false.

    A pixel is in the mask above half of the level that the mask has inside. Without an inside, as in a mask of single
    pixels, full scale is the smallest of 1, 255 and 65535 that no pixel exceeds. A mask may be drawn in any one colour
    on black, or in the transparency of a picture of one colour. Two levels or colours are the lungs, if they lie side
    by side.

    Parameters
    ----------
    file, name
        As for `cxrseg.data.read.images.read_radiograph`; also GIF, and what `cxrseg.data.read.arrays.read_array` reads.
    structure : str
        Whose mask it is.
    values : tuple of int
        The values of the structure in a label map. Empty: the file is a mask.

    Returns
    -------
    numpy.ndarray
        (height, width) bool.

    Raises
    ------
    ValueError
        As for `read_radiograph` and `read_array`. Also where the mask has several levels or colours other than two
        lungs, or so many that it is a picture.

    Warns
    -----
    MaskWarning
        Two levels or colours are read as the two lungs.
    """
    shown = source_name(file, name)
    if values and _is_jpeg(file, shown):
        raise ValueError(f"{shown}: JPEG changes the values of a label map; save it as PNG from the original")
    pixels, inverted = read_array(file, shown, structure), False
    if pixels is None:
        pixels, inverted = read_pixels(file, name, indices=bool(values))
    if values:
        if pixels.ndim == 3 and not _is_grey(pixels):
            raise ValueError(
                f"{shown}: this mask is drawn in colours; expected a label map of one channel, or a palette"
            )
        pixels = pixels[..., 0] if pixels.ndim == 3 else pixels
        if len(np.unique(pixels)) > 64:
            raise ValueError(
                f"{shown}: this label map has many values, as JPEG makes; save it as PNG from the original"
            )
        if structure == NEVER_EMPTY and not np.isin(pixels, values).any():
            there, asked = (", ".join(f"{value:g}" for value in some) for some in (np.unique(pixels), values))
            raise ValueError(f"{shown}: this label map holds {there}; expected {asked} for the {structure} (--labels)")
        return np.isin(pixels, values)
    kind = "levels"
    if pixels.ndim == 3:
        pixels, kind = _one_colour(pixels), "levels" if _is_grey(pixels) else "colours"
    top = pixels.max()
    if top <= 0:
        return np.full(pixels.shape, inverted)
    levels = _levels(pixels)
    noisy = not levels and len(np.unique(pixels)) > 64 and np.mean(pixels > top / 2) > 0.05
    if noisy or any(high - low > 4 * SPREAD * top for low, high in levels):
        raise ValueError(
            f"{shown}: this mask has many grey levels, as a picture has; expected a mask of 0 and 255, or of 0 and 1"
        )
    if levels and pixels.min() > 0 and levels[0][0] - pixels.min() <= SPREAD * top and np.ptp(pixels) > 0:
        levels = levels[1:]  # a background that is not quite black
    if len(levels) > 1:
        if structure != "lungs" or not _side_by_side(pixels, levels):
            listed = f" ({', '.join(f'{(low + high) / 2:g}' for low, high in levels)})" if kind == "levels" else ""
            remedy = f", or its values: --labels {structure}=1,2 (in a study: data.labels)" if kind == "levels" else ""
            raise ValueError(
                f"{shown}: this mask has {len(levels)} {kind}{listed}, perhaps one for each structure; expected a mask "
                f"of the {structure} alone{remedy}"
            )
        warnings.warn(f"the mask has two {kind}, read as the two lungs", MaskWarning, stacklevel=2)
    full = next((scale for scale in (1, 255, 65535) if top <= scale), top)
    if levels:
        full = min(full, np.mean(levels[0]))
    mask = pixels > full / 2
    return ~mask if inverted else mask


def _is_jpeg(file: Source, name: str) -> bool:
    with opened(file, name) as stream:
        start = stream.read(3)
        stream.seek(0)
    return start == b"\xff\xd8\xff"


def _side_by_side(pixels: np.ndarray, levels: list[tuple[float, float]]) -> bool:
    """Return whether two levels are two lungs: about as large, and one on the left of the other."""
    if len(levels) != 2:
        return False
    (low, _), (high, _) = levels
    middle = (levels[0][1] + high) / 2
    dim, bright = (pixels > low / 2) & (pixels <= middle), pixels > middle
    columns = [np.flatnonzero(part) % pixels.shape[1] for part in (dim, bright)]
    share = np.mean(columns[0] < columns[1].mean()), np.mean(columns[1] < columns[0].mean())
    small, large = sorted(map(len, columns))
    return large < 4 * small and min(share) < 0.1 and max(share) > 0.9


def _levels(values: np.ndarray) -> list[tuple[float, float]]:
    """Return the lowest and the highest value of each level that is not background, from dark to bright."""
    step = max(1, max(values.shape) // SIDE)
    seen = values[::step, ::step]
    if min(seen.shape) < 3:
        return []
    tolerance = 0.0 if len(np.unique(seen)) <= 16 else SPREAD * float(seen.max())
    # Nine shifted views, because minimum and maximum of a sliding window took most of the time of a preparation.
    height, width = seen.shape
    around = [seen[y : height - 2 + y, x : width - 2 + x] for y in range(3) for x in range(3)]
    low, high = (reduce(extreme, around).astype(float) for extreme in (np.minimum, np.maximum))
    inside = np.sort(seen[1:-1, 1:-1][(high - low <= tolerance) & (low > tolerance)].astype(float))
    if not len(inside):
        return []
    groups = np.split(inside, np.flatnonzero(np.diff(inside) > tolerance) + 1)
    return [(group[0], group[-1]) for group in groups if len(group) >= LEAST * len(inside)]


def _one_colour(pixels: np.ndarray) -> np.ndarray:
    """Return a mask that is drawn in colours as levels, (height, width) uint8.

    Parameters
    ----------
    pixels : (height, width, 4) uint8 array
        Red, green, blue and alpha.
    """
    colour, alpha = pixels[..., :3], pixels[..., 3]
    drawn = colour[alpha > 0]
    if np.ptp(alpha) > 0 and len(drawn) and np.ptp(drawn, axis=0).max() <= 16:
        return alpha
    colour = np.where(alpha[..., None] > 0, colour, 0)
    bright = colour.max(axis=2)
    if _is_grey(pixels):
        return np.asarray(Image.fromarray(colour).convert("L"))
    codes = (colour.astype(int) * np.array([65536, 256, 1])).sum(axis=2)
    if len(np.unique(codes)) > 16:  # soft edges or JPEG: only clearly different hues are told apart
        codes = (colour.astype(int) // 64 * np.array([16, 4, 1])).sum(axis=2)
    inside = codes[bright > bright.max() / 2]
    kinds, counts = np.unique(inside, return_counts=True)
    found = kinds[counts >= LEAST * len(inside)]
    if len(found) < 2:
        return bright
    return (np.searchsorted(found, codes) + 1).astype(np.uint8) * (np.isin(codes, found) & (bright > bright.max() / 2))


def _is_grey(pixels: np.ndarray) -> bool:
    colour = np.where(pixels[..., 3:] > 0, pixels[..., :3], 0)
    return bool(np.ptp(colour.astype(int), axis=2).max() <= 16)
