"""From attenuation to a picture: beam and scatter, detector, display, and what is laid over it."""

import math
from types import SimpleNamespace

import numpy as np
from numpy.random import Generator

from cxrseg.phantom import fields
from cxrseg.phantom.fields import float32
from cxrseg.phantom.overlays import overlays

_TONES = 2048


def acquire(
    depth: np.ndarray, lungs: np.ndarray, p: SimpleNamespace, marks: SimpleNamespace, rng: Generator
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the radiograph of an attenuation map, and which pixels a shutter hides.

    Parameters
    ----------
    depth : (size, size) float32 array
        Optical depth along the beam, in units of a chest's soft tissue.
    lungs : (size, size) bool array
        The lung fields; some displays choose their window from them.
    p, marks
        Drawn parameters of the acquisition and of the overlays.
    rng : numpy.random.Generator
        Draws the positions of overlays and the noise.

    Returns
    -------
    image : (size, size) uint8 array
        0 black (much radiation) to 255 white.
    hidden : (size, size) bool array or None
        True outside the collimated field.
    """
    size = depth.shape[0]
    shade(depth, p, rng)
    signal = expose(depth, p)
    signal = sharpen(signal, p)
    image = develop(signal, lungs, p, rng)
    shining = overlays(size, marks, rng)
    if shining is not None:
        # Metal and lead ink only ever brighten, and stay visible over what is bright already.
        image += shining * (1 - image)
    hidden = collimate(image, p, rng)
    for _ in range(p.label_boxes):
        box_label(image, rng)
    if p.noise:
        image += min(p.noise, 0.07) * rng.standard_normal((size, size), dtype=float32)
    if p.inverted:
        np.subtract(1, image, out=image)
    image *= 255
    return np.clip(image, 0, 255, out=image).astype(np.uint8), hidden


def shade(depth: np.ndarray, p: SimpleNamespace, rng: Generator) -> None:
    """Add uneven tissue and an uneven beam (heel effect, vignetting) to `depth`, in place."""
    size = depth.shape[0]
    for amount, grain in ((p.fine_texture, 20), (p.coarse_texture, 8), (p.uneven_beam, 3)):
        if amount:
            depth += amount * fields.smooth_noise(rng, size, grain)
    if p.vignetting:
        z = fields.pixel_centres(size)
        depth -= p.vignetting * ((z - p.vignetting_y) ** 2)[:, None]
        depth -= p.vignetting * ((z - p.vignetting_x) ** 2)[None]


def expose(depth: np.ndarray, p: SimpleNamespace) -> np.ndarray:
    """Return the logarithmic detector signal behind `depth`, in the unit of `depth`.

    Beer-Lambert: the primary beam arrives as exp(-beam * depth). Scatter is a blurred copy of what arrives
    and adds a veil that costs contrast where little arrives: in the mediastinum and below the diaphragm.
    """
    if not p.scatter:
        return depth
    arriving = np.exp(depth * -p.beam)
    arriving += p.scatter * fields.blur(arriving, 0.12)
    return np.log(arriving, out=arriving) * (-1 / p.beam)


def sharpen(signal: np.ndarray, p: SimpleNamespace) -> np.ndarray:
    """Return the signal blurred by focal spot and detector, and sharpened by an unsharp mask."""
    if p.blur:
        signal = fields.blur(signal, p.blur)
    if p.unsharp:
        signal = signal + p.unsharp * (signal - fields.blur(signal, p.unsharp_reach))
    return signal


def develop(signal: np.ndarray, lungs: np.ndarray, p: SimpleNamespace, rng: Generator) -> np.ndarray:
    """Return the displayed picture, mostly 0 to 1: a window over the signal and a monotone tone curve."""
    low, high = np.percentile(signal[::3, ::3], (p.window_low, p.window_high)).tolist()
    if p.lung_window and lungs.any():
        # Displays tuned to the lungs: whatever is darker than the lungs turns black.
        low = max(low, np.percentile(signal[lungs][::4], 1).item() - p.lung_margin * (high - low))
    image = signal - low
    image *= _TONES / (high - low + 1e-4)
    levels = np.clip(image, 0, _TONES - 1, out=image).astype(np.int32)
    return tone_curve(levels, p, rng).take(levels)


def tone_curve(levels: np.ndarray, p: SimpleNamespace, rng: Generator) -> np.ndarray:
    """Return the display's characteristic curve, `_TONES` samples, mostly from 0 to 1."""
    tone = np.linspace(0, 1, _TONES)
    if p.sigmoid:
        tone = 1 / (1 + np.exp(-p.sigmoid * (tone - p.sigmoid_centre)))
        tone = (tone - tone[0]) / (tone[-1] - tone[0])
    tone = tone**p.gamma
    if p.irregular:
        tone = np.interp(tone, np.linspace(0, 1, 6), np.r_[0, np.cumsum(rng.dirichlet(np.full(5, 1.5)))])
    if p.equalised:
        rank = np.cumsum(np.bincount(levels.ravel()[::4], minlength=_TONES)[:_TONES])
        tone = p.equalised * rank / rank[-1] + (1 - p.equalised) * tone
    return (p.offset + p.gain * tone).astype(float32)


def collimate(image: np.ndarray, p: SimpleNamespace, rng: Generator) -> np.ndarray | None:
    """Cover what lies outside the shutters, in place; return it, or None where there are no shutters."""
    if not p.collimated:
        return None
    z = fields.pixel_centres(image.shape[0]) - 0.5
    cos, sin = math.cos(math.radians(p.collimator_tilt)), math.sin(math.radians(p.collimator_tilt))
    x = cos * z[None] - sin * z[:, None]
    y = cos * z[:, None] + sin * z[None]
    top, bottom, left, right = (rng.standard_gamma(1.5, 4) * p.shutter * (rng.random(4) < 0.6)).tolist()
    hidden = (y < top - 0.5) | (y > 0.5 - bottom) | (x < left - 0.5) | (x > 0.5 - right)
    image[hidden] = p.shutter_tone
    return hidden


def box_label(image: np.ndarray, rng: Generator) -> None:
    """Black or white out a rectangle at the border, in place, as anonymisation does."""
    n = image.shape[0]
    w, h = int(n * rng.uniform(0.03, 0.24)), int(n * rng.uniform(0.02, 0.1))
    x = (0, n - w, int((n - w) * rng.random()))[rng.integers(3)]
    y = (0, 0, n - h)[rng.integers(3)]
    image[y : y + h, x : x + w] = rng.random() < 1 / 3
