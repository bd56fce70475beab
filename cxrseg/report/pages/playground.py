"""The page "Phantom playground": one synthetic chest, changed in one respect at a time, and what the network finds.

Every step of every slider is drawn and segmented when the book is staged. A page opened from a file may not fetch data,
so all of it is one script. The masks are stored as SVG paths, which the browser draws as they are.
"""

import base64
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from skimage.measure import find_contours

import cxrseg
from cxrseg.evaluate.metrics import overlap
from cxrseg.files import rounded, write_text
from cxrseg.measure.heart import extent, ratio
from cxrseg.phantom import Phantom, phantom
from cxrseg.phantom.parameters import Table, varied
from cxrseg.phantom.parameters.distributions import Always
from cxrseg.segment.checks import LOW
from cxrseg.segment.model import Model, load_model

SEED, INDEX, LABEL, SIZE = 2023, 7, "Non-COVID", 256
"""The chest. Its side in pixels is that of the square on which masks are computed."""

ORGANS = ("lungs", "heart")

ROOMS = ("data", "evaluate", "measure", "models", "phantom", "segment", "train")
"""Parts of the package that decide what the page shows, beside this module."""

FIXED: dict[str, dict[str, Any]] = {
    # In the middle of the picture, with room to turn. Never drawn again for being cut: that would be another chest.
    "pose": {"height": 0.66, "aspect": 1.1, "top": 0.17, "shift": 0.0, "tilt": 0.0, "warp": 0.004, "whole": False},
    "lungs": {"half_width": 0.53, "dome_top": 0.83, "heart_scale": 0.85},
    f"disease {LABEL}": {"kind": "fluid", "effusion": 1.0, "effusion_v": 1.4, "both_sides": True},
    "acquisition": {"offset": 0.0, "collimated": False},
    "overlays": {"wires": 0, "tube": 0},
}
"""Parameters of the chest that are not left to chance. Each value takes no random number, so that the rest of the chest
stays as it is whatever the value."""


class Slider(NamedTuple):
    """One respect in which the chest changes.

    Attributes
    ----------
    title, unit : str
        What changes, and what the numbers along the slider are.
    ends : (str, str)
        In words, the first and the last step.
    steps : tuple of float
        The settings, in order.
    usual : float
        The one among them that is the chest as it is on all other sliders.
    changes : callable
        Maps a setting to what it replaces in `FIXED`.
    shown : callable
        Maps a setting and the phantom made with it to the number along the slider.
    """

    title: str
    unit: str
    ends: tuple[str, str]
    steps: tuple[float, ...]
    usual: float
    changes: Callable[[float], dict[str, dict[str, Any]]]
    shown: Callable[[float, Phantom], float] = lambda step, made: step


SLIDERS = {
    "breath": Slider(
        "Breath", "height of the lungs, % of usual", ("shallow", "deep"), (50, 60, 70, 85, 100, 108, 117), 100,
        lambda step: {"lungs": {"dome_top": FIXED["lungs"]["dome_top"] * step / 100}},
    ),
    "heart": Slider(
        "Heart size", "length of the heart, % of usual", ("small", "large"), (30, 50, 75, 100, 130, 170, 220), 100,
        lambda step: {"lungs": {"heart_scale": FIXED["lungs"]["heart_scale"] * step / 100}},
    ),
    "rotation": Slider(
        "Rotation", "degrees clockwise", ("anticlockwise", "clockwise"), (-60, -40, -20, 0, 20, 40, 60), 0,
        lambda step: {"pose": {"tilt": -float(step)}},
    ),
    "exposure": Slider(
        "Exposure", "grey added, % of black to white", ("dark", "light"), (-80, -60, -30, 0, 30, 60, 80), 0,
        lambda step: {"acquisition": {"offset": step / 100}},
    ),
    "disease": Slider(
        "Disease", "fluid over the lungs, % of their area", ("none", "white lungs"),
        (1.4, 0.9, 0.75, 0.6, 0.45, 0.25, -0.1), 1.4,
        lambda step: {f"disease {LABEL}": {"effusion_v": step}},
        lambda step, made: round(100 * made.infection.sum() / made.lungs.sum()),
    ),
    "noise": Slider(
        "Noise", "standard deviation, % of black to white", ("little", "much"), (0, 5, 10, 20, 40, 80, 160), 0,
        lambda step: {},  # beyond what the phantom knows, so `noisy` adds it to the finished picture
    ),
}  # fmt: skip
"""The sliders by name."""


def assemble(folder: Path) -> None:
    """Write ``data.js``, unless it rests on the same code and the same network already.

    Parameters
    ----------
    folder : Path
        Output folder.
    """
    head, file = f"// {digest()}\n", folder / "data.js"
    if file.is_file():
        with open(file) as old:
            if old.readline() == head:
                return
    folder.mkdir(parents=True, exist_ok=True)
    write_text(file, f"{head}globalThis.playground = {json.dumps(rounded(content()))};\n")


def digest() -> str:
    """Return a digest of all files on which the page rests."""
    package = Path(cxrseg.__file__).parent
    found = [Path(__file__), *(file for room in ROOMS for file in sorted((package / room).rglob("*")))]
    total = hashlib.sha256()
    for file in found:
        if file.is_file() and file.suffix != ".pyc":
            total.update(f"{file.relative_to(package)}\n".encode() + file.read_bytes())
    return total.hexdigest()


def content() -> dict:
    """Draw and segment every step, and return what the page shows."""
    model = load_model()
    usual = shot(model, chest().image, chest())
    sliders = []
    for name, slider in SLIDERS.items():
        values, shots = [], []
        for step in slider.steps:
            made = chest(name, step)
            values.append(slider.shown(step, made))
            shots.append(usual if step == slider.usual else shot(model, picture(name, step, made), made))
        labels = {"name": name, "title": slider.title, "unit": slider.unit, "ends": slider.ends}
        sliders.append(labels | {"usual": slider.steps.index(slider.usual), "values": values, "shots": shots})
    return {"size": SIZE, "low": LOW, "sliders": sliders}


def chest(name: str | None = None, step: float = 0) -> Phantom:
    """Return the usual chest, or the one with a slider at a step, without the noise of `noisy`."""
    table: Table = {part: {key: Always(value) for key, value in values.items()} for part, values in FIXED.items()}
    for part, values in SLIDERS[name].changes(step).items() if name else ():
        table[part] |= {key: Always(value) for key, value in values.items()}
    return phantom(SEED, INDEX, LABEL, SIZE, varied("realistic", table, "playground"))


def picture(name: str, step: float, made: Phantom) -> np.ndarray:
    """Return the picture, (size, size) uint8, of a chest with a slider at a step."""
    return noisy(made.image, step / 100) if name == "noise" else made.image


def noisy(image: np.ndarray, sd: float) -> np.ndarray:
    """Return a picture, (height, width) uint8, with Gaussian noise, the same grains at every strength.

    Parameters
    ----------
    image : (height, width) uint8 array
    sd : float
        Standard deviation as a share of the range from black to white.
    """
    grains = np.random.default_rng(SEED).standard_normal(image.shape)
    return np.clip(image + 255 * sd * grains, 0, 255).astype(np.uint8)


def shot(model: Model, image: np.ndarray, made: Phantom) -> dict:
    """Segment one picture, and return it with the outlines, the scores and the ratios.

    Parameters
    ----------
    model : Model
    image : (size, size) uint8 array
    made : Phantom
        The chest in the picture, whose masks are the truth.
    """
    found = model.segment(image)
    truth = {name: getattr(made, name) for name in ORGANS}
    return {
        "picture": _webp(image),
        "truth": {name: outline(truth[name]) for name in ORGANS},
        "found": {name: outline(found.masks[name]) for name in ORGANS},
        "dice": {name: overlap(truth[name], found.masks[name])["dice"] for name in ORGANS},
        "true_ratio": ratio(extent(truth["heart"]), extent(truth["lungs"])),
        "ratio": found.ctr,
        "refused": found.ctr_refused,
        "predicted": found.predicted_dice,
        "warning": found.warning,
    }


def outline(mask: np.ndarray) -> str:
    """Return an SVG path in half pixels that separates the centres of the pixels inside a mask from those outside.

    Parameters
    ----------
    mask : (height, width) bool array

    Examples
    --------
    >>> outline(np.eye(1, dtype=bool))
    'M1,2l-1,-1 1,-1 1,1z'
    """
    path = ""
    for line in find_contours(np.pad(mask, 1).astype(float), 0.5):
        # The padding shifts the centres of the pixels by 1, and they lie half a pixel from the corners.
        points = (2 * line[:, ::-1] - 1).astype(int)
        steps = np.diff(points, axis=0)
        corners = points[:-1][(steps != np.roll(steps, 1, axis=0)).any(axis=1)]
        sides = " ".join(f"{x},{y}" for x, y in np.diff(corners, axis=0))
        path += f"M{corners[0][0]},{corners[0][1]}l{sides}z"
    return path


def _webp(image: np.ndarray) -> str:
    """Return a picture in base64."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "WEBP", quality=75, method=4)
    return base64.b64encode(file.getvalue()).decode()
