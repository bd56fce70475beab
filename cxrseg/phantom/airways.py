"""What branches from the hila: the windpipe with its two bronchi (dark), the pulmonary vessels (bright)."""

import math
from types import SimpleNamespace

import numpy as np
from numpy.random import Generator

from cxrseg.phantom import fields
from cxrseg.phantom.anatomy import Frame, Lungs
from cxrseg.phantom.fields import edge


def trachea(depth: np.ndarray, frame: Frame, p: SimpleNamespace) -> None:
    """Take the air of the trachea and the two main bronchi out of `depth`, in place."""
    if not p.trachea:
        return
    window = frame.window(p.trachea_u, 0.2, 0.35, 0.75)
    v, across = frame.v[window], np.abs(frame.u[window] - p.trachea_u)
    below = v - p.carina
    tube = edge(p.trachea_half_width - across, 0.006)
    tube *= edge(below, -0.02)
    fork = fields.bump(across - below * p.bronchi_slope, 0.7 * p.trachea_half_width)
    fork *= edge(below, 0.01)
    fork *= np.exp(np.clip(below, 0, None) * (-1 / 0.08))
    depth[window] -= p.trachea * (tube + fork)


def vessels(depth: np.ndarray, frame: Frame, lungs: Lungs, p: SimpleNamespace, rng: np.random.Generator) -> None:
    """Add hila and the pulmonary vessels that fan out and taper from them, in place."""
    strokes = []
    for side in (-1, 1):
        hilum_u = side * (0.12 + 0.02 * (side > 0)) * lungs.mediastinum_scale
        hilum_v = 0.42 + 0.02 * rng.standard_normal()
        if p.hila:
            window, radius = frame.ellipse(hilum_u, hilum_v, p.hilum_width, p.hilum_height, reach=2.2)
            depth[window] += p.hila * np.exp(-radius * radius)
        for _ in range(p.trunks):
            _branch(strokes, frame, side, hilum_u, hilum_v, -1.45 + 2.9 * rng.random(), p, rng)
    if strokes and p.vessels:
        strokes.sort(key=lambda stroke: stroke[1])
        picture = fields.draw_strokes(strokes, frame.size)
        picture = fields.blur(picture, p.vessel_blur * frame.height)
        # Against the heart and below the diaphragm a vessel has little to stand out from.
        picture *= 0.25 + 0.75 * edge(np.minimum(lungs.medial, lungs.diaphragm) + 0.02, 0.015)
        depth += p.vessels * picture


def _branch(strokes: list, frame: Frame, side: int, u: float, v: float, angle: float, p, rng) -> None:
    """Add one vessel and its side branches to `strokes`."""
    width = p.vessel_width * (0.5 + rng.random()) * frame.height
    length = 3 + int(4 * rng.random())
    turns = (0.25 * rng.standard_normal(length)).tolist()
    forks = rng.random((length, 3))
    for turn, (fork, which, spread) in zip(turns, forks.tolist(), strict=True):
        step = 0.065 * (0.6 + 0.8 * spread)
        end = u + side * step * math.cos(angle), v + step * math.sin(angle)
        bright = min(1.0, 0.45 + 0.5 * width / (p.vessel_width * frame.height))
        strokes.append(((frame.place(u, v), frame.place(*end)), width, bright))
        (u, v), angle, width = end, angle + turn, 0.78 * width
        if fork < 0.6:
            aside = angle + (0.3 + 0.5 * spread) * (1 if which < 0.5 else -1)
            tip = u + side * 1.2 * step * math.cos(aside), v + 1.2 * step * math.sin(aside)
            strokes.append(((frame.place(u, v), frame.place(*tip)), 0.8 * width, 0.8 * bright))
