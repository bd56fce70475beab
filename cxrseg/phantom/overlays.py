"""Things in front of the chest that are no anatomy: side markers and text, wires, electrodes, tubes, devices."""

from functools import lru_cache
from types import SimpleNamespace

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from cxrseg.phantom import fields
from cxrseg.phantom.fields import float32

WORDS = ("R", "L", "R", "L", "AP", "PORTABLE", "SUPINE", "ERECT", "A-P SEMI", "12:34")
LETTERS = "ABCDEFGHIKLMNOPRSTUVWXYZ0123456789 "


@lru_cache
def _font(pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=pixels)


def overlays(size: int, p: SimpleNamespace, rng: Generator) -> np.ndarray | None:
    """Return what shines over the radiograph, (size, size) float32, 0 to 1; None where there is nothing."""
    if not (p.texts or p.wires or p.tube or p.device):
        return None
    fine = 2 * size
    canvas = Image.new("L", (fine, fine))
    pen = ImageDraw.Draw(canvas)
    for _ in range(p.wires):
        _wire(pen, fine, p, rng)
    if p.tube:
        _tube(pen, fine, p, rng)
    for _ in range(p.texts):
        _text(pen, fine, p, rng)
    if p.device:
        # A pacemaker, or the buckle of a gown.
        x, y, w = fine * rng.uniform(0.12, 0.78), fine * rng.uniform(0.08, 0.6), fine * rng.uniform(0.04, 0.11)
        pen.rounded_rectangle([x, y, x + w, y + w], 0.2 * w, fill=int(255 * p.device))
    return np.asarray(canvas.reduce(2), float32) * (1 / 255)


def _text(pen: ImageDraw.ImageDraw, fine: int, p: SimpleNamespace, rng: Generator) -> None:
    """Write a side marker, a view or a scrap of a label, mostly along the left and right border."""
    if rng.random() < p.known_words:
        text = WORDS[rng.integers(len(WORDS))]
    else:
        text = "".join(LETTERS[k] for k in rng.integers(len(LETTERS), size=rng.integers(1, 9)))
    pixels = max(6, round(fine * rng.uniform(*p.text_size)))
    font = _font(pixels)
    if rng.random() < p.anywhere:
        x, y = rng.uniform(0, 0.9), rng.uniform(0, 0.94)
    else:
        # The patient's right is the picture's left; a label lies wholly in the picture.
        at_left = text == "R" or (text != "L" and rng.random() < 0.5)
        x = rng.uniform(0.01, 0.12) if at_left else rng.uniform(0.88, 0.99) - pen.textlength(text, font) / fine
        y = rng.uniform(0.01, p.text_low)
    pen.text((fine * x, fine * y), text, fill=int(255 * rng.uniform(*p.text_brightness)), font=font)


def _wire(pen: ImageDraw.ImageDraw, fine: int, p: SimpleNamespace, rng: Generator) -> None:
    """Draw a lead as a smooth random walk, often with an electrode at its end."""
    turns = int(rng.integers(3, 6))
    start = rng.uniform(0, 1, (1, 2))
    walk = np.cumsum(np.vstack([start, rng.normal(0, p.wire_stride, (turns, 2))]), 0)
    curve = fields.spline_basis(tuple(np.linspace(0, 1, turns + 1)), 24, 1.0) @ walk
    fill = int(255 * rng.uniform(*p.wire_brightness))
    points = (fine * curve).ravel().tolist()
    pen.line(points, fill=fill, width=max(1, round(fine * rng.uniform(*p.wire_width))), joint="curve")
    if rng.random() < p.electrode:
        x, y, r = points[0], points[1], fine * rng.uniform(0.01, 0.03)
        pen.ellipse([x - r, y - r, x + r, y + r], fill=fill)


def _tube(pen: ImageDraw.ImageDraw, fine: int, p: SimpleNamespace, rng: Generator) -> None:
    """Draw a tube or central line that comes in from above and runs down near the midline."""
    x0, x1 = 0.5 + 0.06 * rng.standard_normal(), 0.5 + 0.02 * rng.standard_normal()
    tip = rng.uniform(0.25, 0.5) if rng.random() < 0.7 else rng.uniform(0.8, 1.1)
    down = np.linspace(0, 1, 12)
    x = x0 + (x1 - x0) * down**0.6 + 0.01 * rng.standard_normal() * np.sin(4 * down)
    points = np.stack([fine * x, fine * tip * down], 1).ravel().tolist()
    pen.line(points, fill=int(255 * p.tube), width=max(1, round(fine * 0.006)), joint="curve")
