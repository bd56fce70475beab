"""What branches from the hila: the windpipe with its two bronchi (dark), the pulmonary vessels (bright)."""

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


def vessels(depth: np.ndarray, frame: Frame, lungs: Lungs, p: SimpleNamespace, rng: Generator) -> None:
    """Add the hila and the pulmonary vessels that fan out from them, in place."""
    side = np.array([-1.0, 1.0])
    hilum_u = side * (0.13 + 0.01 * side) * lungs.mediastinum_scale
    hilum_v = 0.42 + 0.02 * rng.standard_normal(2)
    if p.hila:
        for u, v in zip(hilum_u.tolist(), hilum_v.tolist(), strict=True):
            window, radius = frame.ellipse(u, v, p.hilum_width, p.hilum_height, reach=2.2)
            depth[window] += p.hila * np.exp(-radius * radius)
    if p.vessels:
        strokes = _tree(*(np.repeat(z, p.trunks) for z in (side, hilum_u, hilum_v)), frame, p, rng)
        picture = fields.blur(fields.draw_strokes(strokes, frame.size), p.vessel_blur * frame.height)
        # Outside the lungs a vessel has little to stand out from.
        picture *= 0.25 + 0.75 * edge(lungs.depth + 0.02, 0.015)
        depth += p.vessels * picture


def _tree(
    side: np.ndarray, u: np.ndarray, v: np.ndarray, frame: Frame, p: SimpleNamespace, rng: Generator
) -> np.ndarray:
    """Grow one vessel from each start (u, v), all at once, and return the strokes, thin ones first.

    A vessel takes three to six steps, turns a little and thins at each, and now and then sends off a twig.
    """
    n = len(u)
    angle = rng.uniform(-1.45, 1.45, n)
    width = p.vessel_width * frame.height * rng.uniform(0.5, 1.5, n)
    steps = rng.integers(3, 7, n)
    strokes = []

    def grow(step: np.ndarray, towards: np.ndarray, thick: np.ndarray, there: np.ndarray) -> tuple:
        end = u + side * step * np.cos(towards), v + step * np.sin(towards)
        bright = np.clip(0.45 + 0.5 * thick / (p.vessel_width * frame.height), 0, 1)
        strokes.append(np.stack([*frame.place(u, v), *frame.place(*end), thick, bright], 1)[there])
        return end

    for k in range(6):
        reach, twig, turn = rng.uniform(0.04, 0.09, n), rng.uniform(-0.8, 0.8, n), rng.standard_normal(n)
        u, v = grow(reach, angle, width, steps > k)
        angle = angle + 0.25 * turn
        width = 0.78 * width
        # A twig that would leave at a narrow angle is none.
        grow(1.2 * reach, angle + twig, 0.8 * width, (steps > k) & (np.abs(twig) > 0.3))
    grown = np.concatenate(strokes)
    return grown[np.argsort(grown[:, 4], kind="stable")]
