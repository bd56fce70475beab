"""Read a mask as true and false, after a look at its levels: a file that is no mask of one structure is refused.

A mask may hold grey levels along its outline, from anti-aliasing or JPEG. Inside, it has one level. Several levels or
colours inside are several structures, and many are a picture.
"""

import numpy as np
from PIL import Image

from cxrseg.data.images import Source, read_pixels, source_name

SIDE = 512
"""Side in pixels from which on a mask is looked at in steps, because its levels show on a part of its pixels."""

SPREAD = 0.06
"""Difference between neighbours, and between the values of one level, as a share of the brightest value."""

LEAST = 0.01
"""Share of the pixels inside from which a level counts."""


def read_mask(file: Source, name: str | None = None) -> np.ndarray:
    """Read a mask as true and false.

    A pixel is in the mask above half of the level that the mask has inside. Without an inside, as in a mask of single
    pixels, full scale is the smallest of 1, 255 and 65535 that no pixel exceeds. A mask may be drawn in any one colour
    on black, or in the transparency of a picture of one colour.

    Parameters
    ----------
    file, name
        As for `cxrseg.data.images.read_radiograph`.

    Returns
    -------
    numpy.ndarray
        (height, width) bool.

    Raises
    ------
    ValueError
        As for `read_radiograph`. Also where the mask has several levels or colours, or so many that it is a picture.
    """
    values, inverted = read_pixels(file, name)
    if values.ndim == 3:
        values = _one_colour(values, source_name(file, name))
    top = values.max()
    if top <= 0:
        return np.full(values.shape, inverted)
    levels = _levels(values)
    noisy = not levels and len(np.unique(values)) > 64 and np.mean(values > top / 2) > 0.05
    if noisy or any(high - low > 4 * SPREAD * top for low, high in levels):
        raise ValueError(
            f"{source_name(file, name)}: this mask has many grey levels, as a picture has; "
            "expected a mask of 0 and 255, or of 0 and 1"
        )
    if levels and values.min() > 0 and levels[0][0] - values.min() <= SPREAD * top and np.ptp(values) > 0:
        levels = levels[1:]  # a background that is not quite black
    if len(levels) > 1:
        listed = ", ".join(f"{(low + high) / 2:g}" for low, high in levels)
        raise ValueError(
            f"{source_name(file, name)}: this mask has several levels ({listed}), one for each structure?; "
            "expected a mask of 0 and 255, or of 0 and 1, for each structure"
        )
    full = next((scale for scale in (1, 255, 65535) if top <= scale), top)
    if levels:
        full = min(full, np.mean(levels[0]))
    mask = values > full / 2
    return ~mask if inverted else mask


def _levels(values: np.ndarray) -> list[tuple[float, float]]:
    """Return the lowest and the highest value of each level that is not background, from dark to bright."""
    step = max(1, max(values.shape) // SIDE)
    seen = values[::step, ::step]
    if min(seen.shape) < 3:
        return []
    tolerance = 0.0 if len(np.unique(seen)) <= 16 else SPREAD * float(seen.max())
    around = np.lib.stride_tricks.sliding_window_view(seen, (3, 3))
    low, high = around.min(axis=(2, 3)).astype(float), around.max(axis=(2, 3)).astype(float)
    inside = np.sort(seen[1:-1, 1:-1][(high - low <= tolerance) & (low > tolerance)].astype(float))
    if not len(inside):
        return []
    groups = np.split(inside, np.flatnonzero(np.diff(inside) > tolerance) + 1)
    return [(group[0], group[-1]) for group in groups if len(group) >= LEAST * len(inside)]


def _one_colour(pixels: np.ndarray, name: str) -> np.ndarray:
    """Return the brightness of a mask that is drawn in one colour, (height, width) uint8.

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
    if np.ptp(colour.astype(int), axis=2).max() <= 16:
        return np.asarray(Image.fromarray(colour).convert("L"))
    hues = (colour[bright > 127].astype(int) // 64 * np.array([16, 4, 1])).sum(axis=1)
    found = [hue for hue, count in zip(*np.unique(hues, return_counts=True), strict=True) if count >= LEAST * len(hues)]
    if len(found) > 1:
        raise ValueError(
            f"{name}: this mask has {len(found)} colours, one for each structure?; "
            "expected a mask of one colour on black for each structure"
        )
    return bright
