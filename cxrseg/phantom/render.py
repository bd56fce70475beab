"""One chest: draw its parameters, put its parts together by attenuation, and take its radiograph."""

from functools import partial

import numpy as np
from numpy.random import Generator

from cxrseg.phantom import airways, anatomy, bones, disease, fields, parameters, surroundings
from cxrseg.phantom.acquisition import acquire

# An infiltrate counts as infection where it has replaced this share of the air, half of a faint patch.
_VISIBLE = 0.15


def chest(rng: Generator, label: str, size: int, setting: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the radiograph (uint8), the lung mask and the infection mask (bool) of one chest.

    Every part adds to (bone, fluid) or takes from (air, fat) the optical depth that the beam meets, in the
    order in which parts lie over each other; by Beer-Lambert, depths along one beam add up.
    """
    draw = partial(parameters.draw, rng, setting)
    frame, lungs = _geometry(draw, size, rng)

    tissue = draw("trunk")
    depth, body = surroundings.trunk(frame, lungs, tissue, rng)
    surroundings.arms(depth, frame, lungs, tissue)
    surroundings.dark_shoulders(depth, frame, tissue)
    for left in (False, True):
        surroundings.fat(depth, frame, lungs, left, draw("fat"), rng)
    surroundings.rim(depth, frame, lungs, tissue)

    lung = draw("air")
    air = anatomy.air(frame, lungs, lung)
    infection = np.zeros_like(lungs.mask)
    if label != "Normal":
        filled = disease.opacity(frame, lungs, draw(f"disease {label}"), rng)
        infection = lungs.mask & (filled > _VISIBLE)
        air *= 1 - lung.opacity_strength * filled
    disease.veils(air, frame, lungs, draw("veils"), rng)
    air *= lung.contrast
    air *= body
    depth -= air
    for grain, amount in ((48, lung.fine_grain), (20, lung.coarse_grain)):
        if amount:
            depth += amount * lung.contrast * lungs.mask * fields.smooth_noise(rng, size, grain)

    surroundings.mediastinum(depth, frame, lungs, draw("mediastinum"), body)
    surroundings.abdomen(depth, frame, lungs, draw("abdomen"), body, rng)
    bones.spine(depth, frame, draw("spine"), body)
    tubes = draw("airways")
    airways.trachea(depth, frame, tubes)
    bones.ribs(depth, frame, lungs, draw("ribs"), body, rng)
    for left in (False, True):
        bones.clavicle(depth, frame, left, draw("clavicle"))
        bones.scapula(depth, frame, left, draw("scapula"))
        bones.humerus(depth, frame, left, draw("humerus"))
    surroundings.breasts(depth, frame, draw("breasts"), body)
    airways.vessels(depth, frame, lungs, tubes, rng)
    surroundings.head(depth, frame, draw("head"))

    exposure = draw("acquisition")
    image, hidden = acquire(depth, lungs.mask, exposure, draw("overlays"), rng)
    masks = lungs.mask, infection
    if hidden is not None:
        masks = tuple(mask & ~hidden for mask in masks)
    if exposure.mirrored:
        image, *masks = (np.ascontiguousarray(z[:, ::-1]) for z in (image, *masks))
    return image, *masks


def _geometry(draw, size: int, rng: Generator) -> tuple[anatomy.Frame, anatomy.Lungs]:
    """Return frame and lungs; a chest that is hardly in the picture, or fills it, is drawn again."""
    while True:
        stance = draw("pose")
        frame = anatomy.pose(stance, size, rng)
        p, sides = draw("lungs"), (draw("side"), draw("side"))
        for side in sides:
            side.half_width = p.half_width * side.breadth
        lungs = anatomy.lungs(frame, p, *sides, rng)
        cut = stance.whole and _touches_border(lungs.mask)
        if 0.06 < lungs.mask.mean() < 0.55 and not cut:
            return frame, lungs


def _touches_border(mask: np.ndarray) -> bool:
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())
