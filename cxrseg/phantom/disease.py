"""Disease: what replaces air in the lungs, by diagnostic class.

COVID pneumonia shows as ground-glass patches in both lungs, towards the walls and the bases. Non-COVID
pneumonia is drawn as the two other common pictures: a consolidated lobe, or a pleural effusion.
"""

from types import SimpleNamespace

import numpy as np
from numpy.random import Generator

from cxrseg.phantom import fields
from cxrseg.phantom.anatomy import Frame, Lungs
from cxrseg.phantom.fields import edge, float32


def opacity(frame: Frame, lungs: Lungs, p: SimpleNamespace, rng: Generator) -> np.ndarray:
    """Return the share of air that disease has replaced, (size, size) float32, 0 to 1.

    `p` holds an amount, a count or a choice for each kind of opacity. All kinds are absent in a normal chest.
    """
    filled = np.zeros((frame.size, frame.size), float32)
    patches(filled, frame, lungs, p, rng)
    if p.mottle:
        grains = fields.smooth_noise(rng, frame.size, p.mottle_grain)
        np.maximum(filled, p.mottle * edge(grains - p.mottle_level, p.mottle_softness), out=filled)
    if p.kind == "lobe":
        np.maximum(filled, consolidation(frame, lungs, p, rng), out=filled)
    if p.kind == "fluid":
        np.maximum(filled, effusion(frame, lungs, p, rng), out=filled)
    if p.haze:
        veil = p.haze * np.clip(p.haze_top + p.haze_slope * frame.v, 0, 1)
        if p.haze_one_sided:
            veil *= frame.left == (rng.random() < 0.5)
        np.maximum(filled, veil, out=filled)
    if p.margin:
        away = lungs.mediastinum if rng.random() < p.perihilar else lungs.wall
        veil = np.clip(1 - away * (1 / p.margin_reach), 0, 1)
        veil *= p.margin * (1 + 0.5 * fields.smooth_noise(rng, frame.size, 10))
        np.maximum(filled, veil, out=filled)
    return np.clip(filled, 0, 1, out=filled)


def patches(filled: np.ndarray, frame: Frame, lungs: Lungs, p: SimpleNamespace, rng: Generator) -> None:
    """Add soft-edged patches to `filled`, in place; with `bilateral` they take turns between the lungs."""
    for k in range(p.patches):
        side = (-1) ** k if p.bilateral else rng.choice((-1, 1))
        u = side * lungs.half_width * rng.uniform(*p.patch_x)
        size = rng.uniform(*p.patch_radius)
        window, radius = frame.ellipse(u, rng.uniform(*p.patch_v), size, size * rng.uniform(0.6, 1.6), reach=2)
        radius += p.patch_ripple * fields.smooth_noise(rng, frame.size, 8, window)
        radius += 0.5 * p.patch_ripple * fields.smooth_noise(rng, frame.size, 24, window)
        patch = edge(1 - radius, rng.uniform(*p.patch_softness))
        patch *= rng.uniform(*p.patch_amount)
        np.maximum(filled[window], patch, out=filled[window])


def consolidation(frame: Frame, lungs: Lungs, p: SimpleNamespace, rng: Generator) -> np.ndarray:
    """Return a lobe of one lung filled almost evenly, with a fairly sharp border along the fissure."""
    left = rng.random() < 0.5
    slope = p.fissure_slope * (frame.x - 0.3)
    fissure = frame.v - p.fissure_v + slope + 0.02 * fields.smooth_noise(rng, frame.size, 10)
    upper = rng.random() < p.upper_lobe
    lobe = edge(-fissure if upper else fissure, p.fissure_softness)
    lobe *= edge((p.lobe_height - np.abs(fissure)) / p.lobe_height, 0.12)
    lobe *= p.consolidation * (1 + 0.15 * fields.smooth_noise(rng, frame.size, 20))
    lobe *= frame.left == left
    return lobe


def effusion(frame: Frame, lungs: Lungs, p: SimpleNamespace, rng: Generator) -> np.ndarray:
    """Return fluid at the base of one or both lungs, its upper border curving up along the wall."""
    fluid = np.zeros_like(frame.v)
    first = rng.random() < 0.5
    for left in (first, not first) if p.both_sides else (first,):
        level = p.effusion_v + 0.06 * rng.standard_normal()
        rise = np.clip(frame.x * (1 / lungs.half_width) - 0.45, 0, None)
        side = edge(frame.v - level + p.meniscus * rise * rise * 2, p.effusion_softness)
        side *= frame.left == left
        fluid += side
    fluid *= p.effusion
    return fluid


def veils(air: np.ndarray, frame: Frame, lungs: Lungs, p: SimpleNamespace, rng: Generator) -> None:
    """Whiten the borders of the lungs in place: not a disease, but lung that a picture hardly shows."""

    def side() -> np.ndarray | float:
        return 1.0 if rng.random() < 0.5 else (frame.left == (rng.random() < 0.6))

    if p.base:
        fade = edge(frame.v - p.base_v + p.base_slope * frame.x, p.base_softness)
        air *= 1 - p.base * fade * side()
    if p.apex:
        air *= 1 - p.apex * edge(frame.v - p.apex_v, -p.apex_softness)
    if p.wall:
        air *= 1 - p.wall * edge(lungs.wall - p.wall_reach, -p.wall_softness)
    if p.medial:
        air *= 1 - p.medial * edge(lungs.medial - p.medial_reach, -p.medial_softness)
