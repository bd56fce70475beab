"""What lies around the lungs: trunk, neck, shoulders and arms, breasts, abdomen.

`trunk` creates the optical depth; the other functions change it in place.

A network that segments by darkness alone fails on dark fat, gas and shoulders, so these parts vary most.
"""

from types import SimpleNamespace

import numpy as np
from numpy.random import Generator

from cxrseg.phantom import fields
from cxrseg.phantom.anatomy import Frame, Lungs
from cxrseg.phantom.fields import edge, float32

_OUTLINE, _OUTLINE_START, _OUTLINE_END = 600, -0.9, 2.0
_SMOOTHING = np.hanning(25) / np.hanning(25).sum()
_OUTLINE_V = _OUTLINE_START + (_OUTLINE_END - _OUTLINE_START) / (_OUTLINE - 1) * np.arange(-12, _OUTLINE + 12)


def _outline(p: SimpleNamespace, lungs: Lungs, breadth: float) -> np.ndarray:
    """Return the tabulated half width of the body over v: neck, shoulders, trunk."""
    trunk = (lungs.half_width + p.chest_wall) * breadth
    slope_end = p.shoulder_v + p.shoulder_height
    shoulder = trunk + p.shoulder_flare
    v = [-0.9, p.shoulder_v - 0.3, p.shoulder_v - 0.12, p.shoulder_v, p.shoulder_v + 0.6 * p.shoulder_height]
    v += [slope_end, max(slope_end + 0.12, 0.6), 1.0, 2.0]
    half = [1.1 * p.neck, p.neck, 1.3 * p.neck, 1.3 * p.neck + 0.6 * (shoulder - 1.3 * p.neck), shoulder]
    half += [trunk + p.shoulder_flare * p.axilla, trunk, trunk * p.waist, trunk * p.hips]
    return np.convolve(np.interp(_OUTLINE_V, v, half), _SMOOTHING, mode="valid").astype(float32)


def trunk(frame: Frame, lungs: Lungs, p: SimpleNamespace, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the soft tissue that the beam meets, and the outline of the body (0 outside to 1 inside)."""
    tables = [_outline(p, lungs, 1 + p.side_difference * rng.standard_normal()) for _ in range(2)]
    scale = (_OUTLINE - 1) / (_OUTLINE_END - _OUTLINE_START)
    row = np.clip((frame.v - _OUTLINE_START) * scale, 0, _OUTLINE - 1).astype(np.int32)
    row += frame.left * np.int32(_OUTLINE)
    half = np.concatenate(tables).take(row)
    body = edge(half - frame.x, 0.012)
    chord = frame.x / np.clip(half, 0.1, None)
    chord = np.clip(1 - chord * chord, 0, 1) ** p.roundness
    chord *= p.thickness
    chord += p.evenness
    chord *= body
    return chord, body


def arms(depth: np.ndarray, frame: Frame, lungs: Lungs, p: SimpleNamespace) -> None:
    """Add arms that hang beside the trunk, a gap of air between them or none."""
    if not p.arms:
        return
    inner = lungs.half_width + p.chest_wall + p.arm_gap + p.arm_spread * (frame.v - 0.4)
    z = (frame.x - inner) * (1 / p.arm_width)
    arm = edge(np.minimum(z, 2 - z), 0.012 / p.arm_width)
    arm *= np.sqrt(np.clip(z * (2 - z), 0, 1) + 0.1) * p.arms
    arm *= edge(frame.v - p.shoulder_v - 0.1, 0.03)
    np.maximum(depth, arm, out=depth)


def dark_shoulders(depth: np.ndarray, frame: Frame, p: SimpleNamespace) -> None:
    """Darken the soft tissue above the collar bones: neck and shoulders are thin and often over-exposed."""
    if not p.shoulder_fade:
        return
    fade = edge(p.fade_v - frame.v, p.fade_softness)
    fade *= edge(frame.x - p.fade_x * p.neck, p.fade_softness_x)
    fade *= -p.shoulder_fade
    fade += 1
    depth *= fade


def fat(depth: np.ndarray, frame: Frame, lungs: Lungs, left: bool, p: SimpleNamespace, rng: Generator) -> None:
    """Darken one pad of fat above a collar bone or in an armpit; fat is never inside the rib cage."""
    if not p.fat:
        return
    x, v = (p.fat_x, p.fat_v) if p.fat_above else (lungs.half_width + p.axilla_x, p.axilla_v)
    width, height = (p.fat_width, p.fat_height) if p.fat_above else (p.axilla_width, p.axilla_height)
    window, radius = frame.ellipse(x if left else -x, v, width, height, reach=2)
    radius += 0.2 * fields.smooth_noise(rng, frame.size, 6, window)
    pad = edge(1 - radius, p.fat_softness)
    pad *= edge(-0.015 - lungs.depth[window], 0.004)
    depth[window] *= 1 - p.fat * pad


def rim(depth: np.ndarray, frame: Frame, lungs: Lungs, p: SimpleNamespace) -> None:
    """Fade the outermost soft tissue (a skin fold, or tissue burnt out by the exposure)."""
    if p.rim:
        depth *= 1 - p.rim * edge(frame.x - (lungs.half_width + p.rim_x), p.rim_softness)


def breasts(depth: np.ndarray, frame: Frame, p: SimpleNamespace, body: np.ndarray) -> None:
    """Add two breasts with a sharp lower fold and a soft upper rim; or, rarely, round dense ones."""
    if p.breasts:
        for side in (-1, 1):
            window, radius = frame.ellipse(side * p.breast_x, p.breast_v, p.breast_width, p.breast_height, 1.8)
            lower = edge(frame.v[window] - p.breast_v, 0.08)
            rise = np.tanh((1 - radius) * (0.5 / 0.24) * (1 + 5 * lower)) * 0.5 + 0.5
            depth[window] += p.breasts * rise * body[window]
    if p.implants:
        for side in (-1, 1):
            window, radius = frame.ellipse(side * p.breast_x, p.breast_v, p.implant_radius, p.implant_radius)
            depth[window] += p.implants * edge(1 - radius, 0.04) * np.sqrt(np.clip(1.2 - radius * radius, 0.2, None))


def mediastinum(depth: np.ndarray, frame: Frame, lungs: Lungs, p: SimpleNamespace, body: np.ndarray) -> None:
    """Add the great vessels and the heart, thickest in its middle."""
    half = np.clip(lungs.midline_at, None, p.band_limit * lungs.mediastinum_scale)
    band = edge(p.band_share * half - frame.x, p.band_softness)
    band *= p.great_vessels
    heart = np.sqrt(np.clip(lungs.heart * (-1 / p.heart_depth), 0, 1) * 0.85 + 0.15)
    heart *= edge(-lungs.heart, p.heart_softness)
    heart *= p.heart
    np.maximum(heart, band, out=heart)
    # The heart rests on the diaphragm; what shows below it is the liver.
    heart *= edge(lungs.diaphragm, p.heart_rest)
    heart *= body
    depth += heart


def abdomen(
    depth: np.ndarray, frame: Frame, lungs: Lungs, p: SimpleNamespace, body: np.ndarray, rng: Generator
) -> None:
    """Add liver and spleen below the diaphragm, then what makes the abdomen uneven: fat, bowel and gas."""
    window = _below(lungs)
    u, x, v = frame.u[window], frame.x[window], frame.v[window]
    if not v.size:
        return
    inside = body[window]
    under = -lungs.diaphragm[window]
    liver = edge(under, p.dome_softness)
    liver *= 1 + 0.1 * fields.smooth_noise(rng, frame.size, 8, window)
    liver *= inside
    # Liver and spleen fill the rib cage; beside them lies the wall of the chest.
    liver *= edge(lungs.wall[window] + 0.02, p.cage_softness)
    liver *= p.liver * (1 + (p.spleen - 1) * edge(u, 0.05))
    change = liver
    deep = np.clip(under, 0, 1)
    below = edge(under - 0.015, 0.012)
    below *= inside
    if p.deep_fade:
        fade = np.clip(deep * (1 / p.fade_depth), 0, 1)
        if p.flank_fade:
            fade *= np.clip(x * (1 / lungs.half_width), 0, 1.2) ** 2
        change -= p.deep_fade * fade * below
    if p.bowel:
        loops = fields.smooth_noise(rng, frame.size, p.bowel_grain, window)
        loops = edge(loops - p.bowel_level, p.bowel_softness)
        loops *= np.clip(deep * (1 / p.bowel_depth), 0, 1)
        loops *= below
        change -= p.bowel * loops
    if p.flank:
        stripe = np.abs(x - lungs.half_width * p.flank_x - p.flank_slope * deep) * (1 / p.flank_width)
        change -= p.flank * edge(1 - stripe, 0.2) * below
    depth[window] += change
    if p.dome_line:
        line = fields.bump(under, p.dome_line_width)
        line *= edge(lungs.wall[window], 0.02)
        depth[window] += p.dome_line * line
    if p.stomach:
        # It follows the dome above it; below, it ends round, or flat where fluid stands.
        across = np.abs(u - p.stomach_u) * (1 / p.stomach_width)
        height = np.clip(under * (1 / p.stomach_height), 0, None)
        power = 5 if p.fluid_level else 2
        bubble = (across**power + height**power) ** (1 / power)
        bubble += 0.1 * fields.smooth_noise(rng, frame.size, 6, window)
        bubble = edge(1 - bubble, 0.05)
        bubble *= edge(under - p.stomach_wall, 0.006)
        depth[window] -= p.stomach * bubble * frame.left[window]
    for _ in range(p.bubbles):
        gas_u = rng.uniform(0.02, 0.45) * (1 if rng.random() < 0.75 else -1)
        gas_v = lungs.dome_top + 0.05 + rng.uniform(0.02, 0.35)
        across = rng.uniform(*p.bubble_radius)
        window, radius = frame.ellipse(gas_u, gas_v, across, across * rng.uniform(0.4, 1))
        radius += 0.15 * fields.smooth_noise(rng, frame.size, 8, window)
        gas = edge(1 - radius, 0.12)
        gas *= edge(-0.015 - lungs.diaphragm[window], 0.012)
        depth[window] -= p.gas * rng.uniform(0.3, 1) * gas


def _below(lungs: Lungs) -> fields.Window:
    """Return the rows from the highest point of the diaphragm down."""
    rows = np.flatnonzero((lungs.diaphragm < 0.06).any(1))
    return (slice(rows[0] if len(rows) else lungs.diaphragm.shape[0], None), slice(None))


def head(depth: np.ndarray, frame: Frame, p: SimpleNamespace) -> None:
    """Add the chin over the apices, and arms raised beside the head."""
    if p.chin:
        window, radius = frame.ellipse(p.chin_u, p.chin_v - 0.1, p.chin_width, p.chin_height)
        depth[window] += p.chin * edge(1 - radius, 0.06)
    if p.raised_arms:
        for side in (-1, 1):
            z = np.abs(side * frame.u - p.raised_x - p.raised_slope * frame.v) * (1 / p.raised_width)
            depth += p.raised_arms * edge(1 - z, 0.1) * edge(frame.v - 0.02, -0.04)
