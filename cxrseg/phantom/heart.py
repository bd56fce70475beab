"""The heart: its border beside the lungs, and the outline that an annotator draws."""

import math
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cxrseg.phantom.anatomy import Frame


def border(frame: "Frame", p: SimpleNamespace) -> np.ndarray:
    """Return the distance from the heart, outwards, in body units, (size, size).

    The heart is a tilted ellipse with the pulmonary trunk above it and a fat pad at its foot.
    """
    u0, v0 = p.heart_u + 0.5 * p.rotation, p.dome_top - p.heart_lift
    long, short = p.heart_scale * p.heart_long, p.heart_scale * p.heart_short
    cos, sin = math.cos(math.radians(p.heart_tilt)), math.sin(math.radians(p.heart_tilt))
    du, dv = frame.u - u0, frame.v - v0
    along = (cos / long) * du + (sin / long) * dv
    across = (-sin / short) * du + (cos / short) * dv
    radius = np.sqrt(along * along + across * across)
    radius -= 1
    heart = radius * min(long, short)
    trunk, upper = frame.ellipse(u0 - 0.03, v0 - 0.19 * p.heart_scale, 0.46 * long, 1.15 * short, reach=2)
    np.minimum(heart[trunk], (upper - 1) * (0.46 * long), out=heart[trunk])
    if p.fat_pad:
        foot = frame.ellipse(u0 + p.fat_pad * long, p.dome_top + 0.02, 0.1 * p.heart_scale, 0.07 * p.heart_scale, 2)
        np.minimum(heart[foot[0]], (foot[1] - 1) * 0.08, out=heart[foot[0]])
    return heart


def outline(frame: "Frame", p: SimpleNamespace, medial: np.ndarray, heart: np.ndarray) -> np.ndarray:
    """Return what an annotator outlines as the heart, (size, size) bool.

    At its sides the outline follows the lungs. Above and below, where no radiograph shows the border, it is a curve
    whose position depends on the height of the domes relative to the width of the chest. `medial` is the distance
    outwards from mediastinum and heart, `heart` that from the heart alone, both in body units.
    """
    # Middle and half width of the cardiac silhouette, fitted to phantoms.
    middle, half = 0.03 + 0.56 * p.heart_u + 0.73 * p.rotation, 0.12 + 0.155 * p.heart_scale
    across = (frame.u - middle) * (1 / half)
    tallness = p.dome_top * frame.height / (2 * p.half_width * frame.width)
    top, foot = (p.dome_top * (slope + at / tallness) for at, slope in (p.heart_top, p.heart_foot))
    upper = np.square(np.square(across)) * p.heart_shoulders
    lower = np.square(across - p.heart_apex)
    lower = (p.heart_belly + p.heart_heel * lower) * lower
    inside = (frame.v > top + upper) & (frame.v < foot - lower) & (medial < p.medial_inset + p.heart_gap)
    # Near the domes people leave the lungs' border and round the apex.
    return inside & ((frame.v < p.dome_top - 0.02) | (heart < 0.02) | (np.abs(across) < 1))
