"""The few shapes that everything else is drawn with: soft edges, smooth noise, curves, blurs, strokes.

All fields are float32 and square. Smooth things are made small and enlarged by a matrix product, which
on these sizes costs a tenth of a filter. Products are taken in float64 and then rounded: a BLAS adds up in
another order with another number of threads, and a phantom must be the same on every worker.
"""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw
from scipy.interpolate import CubicHermiteSpline

float32 = np.float32
Window = tuple[slice, slice]
EVERYWHERE: Window = (slice(None), slice(None))


@lru_cache
def pixel_centres(size: int) -> np.ndarray:
    """Return the centres of `size` pixels along one side of the picture, 0 to 1."""
    return ((np.arange(size) + 0.5) / size).astype(float32)


@lru_cache
def _bumps(size: int, count: int) -> np.ndarray:
    """Return (size, count) Gaussian bumps, evenly spread over the picture, that sum to one everywhere."""
    centres = np.linspace(0, 1, count)
    weights = np.exp(-0.5 * ((pixel_centres(size)[:, None] - centres) * (count - 1) / 0.6) ** 2)
    return weights / weights.sum(1, keepdims=True)


def smooth_noise(rng: np.random.Generator, size: int, grain: int, window: Window = EVERYWHERE) -> np.ndarray:
    """Return smooth noise of roughly unit variance with about `grain` bumps along a side of the picture.

    The same generator state gives the same noise on every picture size, and in every window.
    """
    rows, columns = _bumps(size, grain)[window[0]], _bumps(size, grain)[window[1]]
    return (rows @ rng.standard_normal((grain, grain)) @ columns.T).astype(float32)


def edge(distance: np.ndarray, width: float) -> np.ndarray:
    """Return a logistic step from 0 to 1 at distance 0.

    `width` is its scale, in the distance's unit; with a negative one the step goes down from 1 to 0.
    """
    step = np.multiply(distance, 0.5 / width, dtype=float32)
    np.tanh(step, out=step)
    step += 1
    step *= 0.5
    return step


def bump(distance: np.ndarray, width: float) -> np.ndarray:
    """Return a Gaussian of height 1 at distance 0 with scale `width`."""
    z = np.multiply(distance, 1 / width, dtype=float32)
    z *= z
    np.negative(z, out=z)
    return np.exp(z, out=z)


def soft_minimum(a: np.ndarray, b: np.ndarray, reach: float) -> np.ndarray:
    """Return the minimum of two fields with its crease rounded where they differ by less than `reach`."""
    overlap = np.clip(1 - np.abs(a - b) * (1 / reach), 0, 1)
    return np.minimum(a, b) - overlap * overlap * (reach / 4)


@lru_cache
def _gaussian_matrix(size: int, sigma: float) -> np.ndarray:
    centres = pixel_centres(size).astype(float)
    weights = np.exp(-0.5 * ((centres[:, None] - centres) / sigma) ** 2)
    return weights / weights.sum(1, keepdims=True)


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Return `image` under a Gaussian of scale `sigma`, a share of its side; the border is renormalised.

    `sigma` is rounded to 12 steps an octave, so that the matrices can be kept.
    """
    sigma = 2 ** (round(12 * np.log2(sigma)) / 12)
    matrix = _gaussian_matrix(image.shape[0], sigma)
    return (matrix @ image @ matrix.T).astype(float32)


@lru_cache
def spline_basis(knots: tuple[float, ...], count: int, end: float) -> np.ndarray:
    """Return the (count, knots) matrix that turns values at knots into a curve sampled on 0 to `end`.

    The curve is a Catmull-Rom spline: through every value, tangents from the neighbours, linear in the values.
    """
    at = np.asarray(knots)
    unit = np.eye(len(at))
    curve = CubicHermiteSpline(at, unit, np.gradient(unit, at, axis=0))
    return curve(np.clip(np.linspace(0, end, count), at[0], at[-1]))


def draw_strokes(strokes: np.ndarray, size: int) -> np.ndarray:
    """Draw straight lines, a later one over an earlier one.

    Parameters
    ----------
    strokes : (n, 6) array
        Start x and y, end x and y, and width, in shares of the picture's side; brightness, 0 to 1.
    size : int
        Side of the picture in pixels.

    Returns
    -------
    (size, size) float32 array
        0 to 1, anti-aliased.
    """
    fine = 2 * size
    canvas = Image.new("L", (fine, fine))
    pen = ImageDraw.Draw(canvas)
    # A line thinner than a pixel of the canvas is drawn fainter instead.
    width, brightness = fine * strokes[:, 4], strokes[:, 5] * np.minimum(1, fine * strokes[:, 4])
    for ends, pixels, fill in zip(
        (fine * strokes[:, :4]).tolist(),
        np.maximum(1, np.rint(width)).astype(int).tolist(),
        (255 * brightness).astype(int).tolist(),
        strict=True,
    ):
        pen.line(ends, fill=fill, width=pixels)
    return np.asarray(canvas.reduce(2), float32) * (1 / 255)
