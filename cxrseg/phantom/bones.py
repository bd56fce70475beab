"""Bones: each function adds the attenuation of one bone, or pair of bones, to `depth` in place.

A long bone is a tube: its wall, the cortex, is met twice near the edge of the shadow, so that the edges of
a rib are brighter than its middle.
"""

from types import SimpleNamespace

import numpy as np
from numpy.random import Generator

from cxrseg.phantom import fields
from cxrseg.phantom.anatomy import Frame, Lungs
from cxrseg.phantom.fields import edge, float32

_PHASES = 512


def tube_profile(duty: float, cortex: float, softness: float, lower_edge: float) -> np.ndarray:
    """Return the shadow of evenly spaced tubes over one period, `_PHASES` samples, peak about 1.

    Parameters
    ----------
    duty
        Width of a tube as a share of the period.
    cortex
        How much of the attenuation sits in the wall: 0 an even band, 1 two bright lines.
    softness
        Width of the edge as a share of half a tube.
    lower_edge
        How much sharper the lower edge shows than the upper one, 0 to 1: a rib's lower margin is a thin
        ridge that the beam meets edge-on.
    """
    phase = np.linspace(0, 1, _PHASES, endpoint=False, dtype=float32)
    z = (phase - 0.5) * (2 / duty)
    radius = np.abs(z)
    band = edge(1 - radius, softness * 0.5)
    shell = np.clip(radius, 0, 1) ** 3 * (1 + lower_edge * np.sign(z))
    return band * (1 - cortex + cortex * shell)


def ribs(depth: np.ndarray, frame: Frame, lungs: Lungs, p: SimpleNamespace, body: np.ndarray, rng: Generator) -> None:
    """Add both halves of the rib cage.

    Posterior ribs leave the spine nearly level, fall with growing slope and turn down at the wall; anterior
    ribs come back from the wall and fall towards the breast bone, fainter and ending in cartilage.
    """
    if not p.posterior and not p.anterior:
        return
    across = np.clip(frame.x / np.clip(lungs.wall_at, 0.12, None), 0, 1.35)
    cage = edge(lungs.wall + p.overhang, 0.006)
    cage *= edge(frame.x - p.inner_end, 0.01)
    cage *= edge(frame.v + 0.02, 0.01)
    cage *= 1 - p.lost_below * edge(lungs.diaphragm + 0.03, -0.03)
    cage *= 1 - p.lost_medially * edge(-lungs.medial, 0.02)
    cage *= body
    if p.posterior:
        # The upper ribs are short and strongly curved, the lower ones long and flatter.
        fall = p.posterior_slope * across + p.posterior_curve * across**p.posterior_power
        fall *= 1 + p.upper_curl * np.clip(0.35 - frame.v, 0, None)
        depth += p.posterior * _comb(frame, fall, p.posterior_spacing, p.posterior_duty, p, rng) * cage
    if p.anterior:
        rise = -p.anterior_slope * across - p.anterior_curve * across * across
        shadow = _comb(frame, rise, p.anterior_spacing, p.anterior_duty, p, rng)
        shadow *= cage
        shadow *= edge(across - p.cartilage, 0.05)
        depth += p.anterior * shadow


def _comb(
    frame: Frame, offset: np.ndarray, spacing: float, duty: float, p: SimpleNamespace, rng: Generator
) -> np.ndarray:
    """Return a stack of tubes whose centre lines run along v = offset + constant."""
    phase = (frame.v - offset) * (1 / spacing)
    phase += p.rib_wobble * fields.smooth_noise(rng, frame.size, 6)
    phase += np.multiply(frame.left, p.side_offset * rng.standard_normal(), dtype=float32)
    phase -= np.floor(phase)
    phase *= _PHASES - 0.01
    return tube_profile(duty, p.cortex, p.rib_softness, p.lower_edge).take(phase.astype(np.int32))


def spine(depth: np.ndarray, frame: Frame, p: SimpleNamespace, body: np.ndarray) -> None:
    """Add the vertebral column: bright vertebral bodies, darker discs between them, and the spinous processes."""
    if not p.spine:
        return
    window = frame.window(0, 0.5, p.spine_half_width + 0.12, 1.5)
    u = frame.u[window] - p.spine_u
    shadow = edge(p.spine_half_width - np.abs(u), 0.008)
    turns = np.sin((2 * np.pi * p.vertebrae) * frame.v[window] + p.spine_phase)
    shadow *= 1 + p.discs * np.clip(turns * 3, -1, 1)
    # Spinous processes: a row of small drops in the midline.
    shadow += p.processes * fields.bump(u, 0.012) * np.clip(turns, 0, 1)
    shadow *= body[window]
    depth[window] += p.spine * shadow


def clavicle(depth: np.ndarray, frame: Frame, left: bool, p: SimpleNamespace) -> None:
    """Add one collar bone: an S-shaped tube from the breast bone outwards and mostly upwards."""
    if not p.clavicle:
        return
    middle = 0.5 * (p.clavicle_inner + p.clavicle_outer)
    height = abs(p.clavicle_slope) * 0.4 + 0.12
    centre = p.clavicle_v - p.clavicle_slope * (middle - 0.06)
    window = frame.window(
        middle if left else -middle, centre, 0.5 * (p.clavicle_outer - p.clavicle_inner) + 0.05, height
    )
    x = frame.u[window] if left else -frame.u[window]
    line = p.clavicle_v - p.clavicle_slope * (x - 0.06) + p.clavicle_bend * np.sin(7 * x)
    z = np.abs(frame.v[window] - line) * (1 / p.clavicle_half_width)
    z *= np.clip(1.2 - 0.4 * x, 0.8, 1.2)
    shadow = edge(1 - z, p.clavicle_softness)
    shadow *= 1 - p.clavicle_cortex + p.clavicle_cortex * np.clip(z, 0, 1) ** 2
    shadow *= edge(x - p.clavicle_inner, 0.01)
    shadow *= edge(x - p.clavicle_outer, -0.02)
    depth[window] += p.clavicle * shadow


def scapula(depth: np.ndarray, frame: Frame, left: bool, p: SimpleNamespace) -> None:
    """Add one shoulder blade: a thin plate with a bright inner border, beside or over the lung."""
    if not p.scapula and not p.scapula_border:
        return
    window = frame.window((1 if left else -1) * (p.scapula_x + 0.1), 0.25, 0.4, 0.42)
    x, v = (frame.u[window] if left else -frame.u[window]), frame.v[window]
    inward = x - (p.scapula_x + 0.8 * p.scapula_slope * (0.45 - v))
    height = edge(v - p.scapula_tip, -0.03)
    height *= edge(v - p.scapula_top, 0.03)
    plate = edge(inward, 0.008)
    plate *= edge(inward - p.scapula_width, -0.01)
    plate *= p.scapula
    plate += p.scapula_border * fields.bump(inward - 0.006, 0.009)
    plate *= height
    depth[window] += plate


def humerus(depth: np.ndarray, frame: Frame, left: bool, p: SimpleNamespace) -> None:
    """Add the round head of one upper arm bone and its shaft."""
    if not p.humerus:
        return
    sign = 1 if left else -1
    window, radius = frame.ellipse(sign * p.humerus_x, p.humerus_v, p.humerus_radius, p.humerus_radius)
    depth[window] += p.humerus * edge(1 - radius, p.humerus_softness)
    if p.shaft:
        length = 0.45
        window = frame.window(sign * (p.humerus_x + 0.05), p.humerus_v + 0.5 * length, 0.15, 0.6 * length)
        x = (frame.u[window] if left else -frame.u[window]) - p.humerus_x - 0.04
        v = frame.v[window] - p.humerus_v
        z = np.abs(x - p.shaft_slope * v) * (1 / (0.45 * p.humerus_radius))
        shaft = edge(1 - z, 0.1) * (0.5 + 0.5 * np.clip(z, 0, 1) ** 3) * edge(v - 0.04, 0.02)
        depth[window] += p.humerus * p.shaft * shaft
