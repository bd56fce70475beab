"""The heart: its border beside the lungs, and the outline that an annotator draws."""

import math
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cxrseg.phantom.anatomy import Frame


def border(frame: "Frame", p: SimpleNamespace) -> np.ndarray:
    """Return the distance from the heart: a tilted ellipse, the pulmonary trunk above it, a fat pad at its foot."""
    u0, v0 = p.heart_u + 0.5 * p.rotation, p.dome_top - p.heart_lift
    long, short = p.heart_scale * p.heart_long, p.heart_scale * p.heart_short
    cos, sin = math.cos(math.radians(p.heart_tilt)), math.sin(math.radians(p.heart_tilt))
    du, dv = frame.u - u0, frame.v - v0
    along = (cos / long) * du + (sin / long) * dv
    across = (-sin / short) * du + (cos / short) * dv
    radius = np.sqrt(along * along + across * across)
    radius -= 1
    border = radius * min(long, short)
    trunk, upper = frame.ellipse(u0 - 0.03, v0 - 0.19 * p.heart_scale, 0.46 * long, 1.15 * short, reach=2)
    np.minimum(border[trunk], (upper - 1) * (0.46 * long), out=border[trunk])
    if p.fat_pad:
        foot = frame.ellipse(u0 + p.fat_pad * long, p.dome_top + 0.02, 0.1 * p.heart_scale, 0.07 * p.heart_scale, 2)
        np.minimum(border[foot[0]], (foot[1] - 1) * 0.08, out=border[foot[0]])
    return border


def outline(
    frame: "Frame", p: SimpleNamespace, medial: np.ndarray, diaphragm: np.ndarray, wall: np.ndarray
) -> np.ndarray:
    """Return what an annotator outlines as the heart, (size, size) bool.

    `medial`, `diaphragm` and `wall` are distances in body units: outwards from mediastinum and heart, upwards from the
    diaphragm, inwards from the ribs. The sides of the outline are where the lungs end. Above and below, where nothing
    is seen of the heart, it is a curve whose place depends on how high the domes stand in a chest of this width.
    """
    between = medial < p.medial_inset + p.heart_gap
    (right, right_dome), (left, left_dome) = _corners(frame, p, between & (wall > 0), diaphragm)
    across = (frame.u - 0.5 * (right + left)) * (2 / (left - right))
    tallness = p.dome_top * frame.height / (2 * p.half_width * frame.width)
    top, foot = (p.dome_top * (slope + at / tallness) for at, slope in (p.heart_top, p.heart_foot))
    upper = np.square(np.square(across)) * p.heart_shoulders
    # Below, it bulges from the line between the corners, of which the left one can lie far down, beside the stomach.
    right_dome, left_dome = (
        min(dome - lift, foot + p.heart_corner)
        for dome, lift in zip((right_dome, left_dome), p.heart_lifts, strict=True)
    )
    middle = 0.5 * (left_dome + right_dome)
    lower = middle + (left_dome - middle) * across
    lower += max(foot - middle, p.heart_corner) * (1 - np.minimum(np.abs(across), 1) ** p.heart_roundness)
    return between & (frame.v > top + upper) & (frame.v < lower) & ((diaphragm > 0) | (np.abs(across) < 1))


def _corners(
    frame: "Frame", p: SimpleNamespace, between: np.ndarray, diaphragm: np.ndarray
) -> tuple[tuple[float, float], ...]:
    """Return u and v where the heart's border meets the right and the left dome."""
    rows, columns = np.nonzero(between & (diaphragm > 0) & (diaphragm < 0.03))
    u = frame.u[rows, columns]
    if not len(u) or np.ptp(u) < 0.1:  # narrower than any heart: a corner lies outside the picture
        half = 0.12 + 0.155 * p.heart_scale  # as wide as in other phantoms
        return (p.heart_u - half, p.dome_top), (p.heart_u + half, p.dome_top)
    ends = int(np.argmin(u)), int(np.argmax(u))
    dome = frame.v[rows, columns] + diaphragm[rows, columns]
    return tuple((float(u[end]), float(dome[end])) for end in ends)
