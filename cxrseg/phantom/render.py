"""One chest: draw its parameters, put its parts together by attenuation, and take its radiograph."""

from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace

import numpy as np
from numpy.random import Generator

from cxrseg.phantom import airways, anatomy, bones, disease, fields, parameters, surroundings
from cxrseg.phantom.acquisition import acquire

Draw = Callable[[str], SimpleNamespace]

# An infiltrate counts as infection where it has replaced this share of the air: half of a faint patch.
_VISIBLE = 0.15

# Side of the grid, pixels, on which a chest is judged to be fit for a picture.
_JUDGED = 64
# Distance that a whole lung keeps from the centres of the outermost pixels, in body units: about half a pixel.
_MARGIN = 0.007
# Chests that are drawn before a table of distributions is given up.
_DRAWS = 1000


def chest(rng: Generator, label: str, size: int, table: parameters.Table) -> tuple[np.ndarray, ...]:
    """Return the radiograph (uint8) of one chest and the masks (bool) of `cxrseg.phantom.Phantom` in their order."""
    draw = partial(parameters.draw, rng, table)
    frame, lungs, filled = geometry(rng, draw, label, size)
    *_, (_, depth) = build(frame, lungs, filled, draw, rng)
    exposure = draw("acquisition")
    image, hidden = acquire(depth, lungs.mask, exposure, draw("overlays"), rng)
    masks = [lungs.mask, lungs.mask & (filled > _VISIBLE), lungs.mask & ~frame.left, lungs.mask & frame.left]
    masks.append(lungs.heart_mask)
    if hidden is not None:
        masks = [mask & ~hidden for mask in masks]
    if exposure.mirrored:
        image, *masks = (np.ascontiguousarray(z[:, ::-1]) for z in (image, *masks))
        masks[2:4] = masks[3:1:-1]  # nothing but the heart tells a mirrored picture: the side in the picture counts
    return image, *masks


def parts(rng: Generator, label: str, size: int, table: parameters.Table) -> dict[str, np.ndarray]:
    """Return the optical depth, (size, size) float32, after each step of `build`, in order: for pictures."""
    draw = partial(parameters.draw, rng, table)
    steps = build(*geometry(rng, draw, label, size), draw, rng)
    return {name: depth.copy() for name, depth in steps}


def geometry(
    rng: Generator, draw: Draw, label: str, size: int
) -> tuple[anatomy.Frame, anatomy.Lungs, np.ndarray | float]:
    """Return frame, lungs, and the share of air replaced by disease (0 in a normal chest).

    A chest that is hardly in the picture, fills it, or is cut where it should be whole is drawn again. That is
    judged on one coarse grid, so that a chest is the same at any size.

    Raises
    ------
    ValueError
        No chest of many is in the picture as it should be: the table of distributions allows none.
    """
    for _ in range(_DRAWS):
        state = rng.bit_generator.state
        stance, _, lungs = _lungs(rng, draw, _JUDGED)
        near = lungs.depth > -_MARGIN
        cut = near[[0, -1]].any() or near[:, [0, -1]].any()
        if 0.06 < lungs.mask.mean() < 0.55 and not (stance.whole and cut):
            break
    else:
        raise ValueError(f"none of {_DRAWS:,} chests drawn fits the picture: check pose, lungs and side in the table")
    rng.bit_generator.state = state
    _, frame, lungs = _lungs(rng, draw, size)
    if label == "Normal":
        return frame, lungs, 0.0
    return frame, lungs, disease.opacity(frame, lungs, draw(f"disease {label}"), rng)


def _lungs(rng: Generator, draw: Draw, size: int) -> tuple[SimpleNamespace, anatomy.Frame, anatomy.Lungs]:
    """Draw the pose of a chest and its lungs."""
    stance, p, sides = draw("pose"), draw("lungs"), (draw("side"), draw("side"))
    for side in sides:
        side.half_width = p.half_width * side.breadth
    frame = anatomy.pose(stance, size, rng)
    return stance, frame, anatomy.lungs(frame, p, *sides, rng)


def build(
    frame: anatomy.Frame, lungs: anatomy.Lungs, filled: np.ndarray | float, draw: Draw, rng: Generator
) -> Iterator[tuple[str, np.ndarray]]:
    """Put the chest together, part by part.

    Every part adds to (bone, fluid) or takes from (air, fat, gas) the optical depth that the beam meets; by
    Beer-Lambert the depths along one beam add up, and `acquisition.expose` turns the sum into radiation.

    Yields
    ------
    name : str
        What has just been added.
    depth : (size, size) float32 array
        The optical depth with it; one array, which later parts change in place.
    """
    tissue = draw("trunk")
    depth, body = surroundings.trunk(frame, lungs, tissue, rng)
    surroundings.arms(depth, frame, lungs, tissue)
    surroundings.dark_shoulders(depth, frame, tissue)
    for left in (False, True):
        surroundings.fat(depth, frame, lungs, left, draw("fat"), rng)
    surroundings.rim(depth, frame, lungs, tissue)
    yield "soft tissue", depth

    lung = draw("air")
    air = anatomy.air(frame, lungs, lung)
    air *= 1 - lung.opacity_strength * filled
    disease.veils(air, frame, lungs, draw("veils"), rng)
    air *= lung.contrast
    air *= body
    depth -= air
    for grain, amount in ((48, lung.fine_grain), (20, lung.coarse_grain)):
        if amount:
            texture = fields.smooth_noise(rng, frame.size, grain)
            texture *= amount * lung.contrast
            texture *= lungs.mask
            depth += texture
    yield "air in the lungs", depth

    surroundings.mediastinum(depth, frame, lungs, draw("mediastinum"), body)
    yield "heart and great vessels", depth

    surroundings.abdomen(depth, frame, lungs, draw("abdomen"), body, rng)
    yield "abdomen", depth

    branches = draw("airways")
    airways.trachea(depth, frame, branches)
    airways.vessels(depth, frame, lungs, branches, rng)
    yield "airways and vessels", depth

    bones.spine(depth, frame, draw("spine"), body)
    bones.ribs(depth, frame, lungs, draw("ribs"), body, rng)
    for left in (False, True):
        bones.clavicle(depth, frame, left, draw("clavicle"))
        bones.scapula(depth, frame, left, draw("scapula"))
        bones.humerus(depth, frame, left, draw("humerus"))
    yield "bones", depth

    surroundings.breasts(depth, frame, draw("breasts"), body)
    surroundings.head(depth, frame, draw("head"))
    yield "breasts and chin", depth
