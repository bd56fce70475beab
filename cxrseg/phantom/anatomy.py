"""The chest: a frame of body coordinates, and in it the lung fields with what bounds them.

Body coordinates: v runs from 0 at the lung apices to about 0.85 at the diaphragm, u from the spine to the
patient's left, which is the right of the picture; x is the distance from the midline. A boundary is a
signed distance in these units, positive on the lung's side. The lung fields are where all of them are positive;
the mask that an annotator draws keeps a small inset from diaphragm, mediastinum and apex.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import numpy as np
from numpy.random import Generator

from cxrseg.phantom import fields
from cxrseg.phantom.fields import Window, edge, float32
from cxrseg.phantom.heart import border, outline

# Curves over the height of the lung are tabulated over the square root of v: an apex is a round cap, whose
# width grows like the square root of the depth below it, so that in sqrt(v) all curves are gentle.
_CURVE, _CURVE_END = 1024, 1.35
_DOME, _DOME_END = 512, 1.3


@dataclass(frozen=True)
class Frame:
    """Body coordinates, and how they lie in the picture.

    Attributes
    ----------
    size : int
        Side of the picture in pixels.
    height, width : float
        What 1 in v and 1 in u are, as shares of the picture's side.
    u, v, x, left : (size, size) arrays
        Coordinates of every pixel, float32; `x` is the distance from the midline, `left` is true on the
        patient's left.
    to_picture, origin, slack
        The straight part of the map from (u, v - 0.5) to picture coordinates: rows of its matrix, where the
        centre of the chest lies, and by how much the warp may depart from it.
    """

    size: int
    height: float
    width: float
    u: np.ndarray
    v: np.ndarray
    x: np.ndarray
    left: np.ndarray
    to_picture: tuple[tuple[float, float], tuple[float, float]]
    origin: tuple[float, float]
    slack: float

    def place(self, u: float, v: float) -> tuple[float, float]:
        """Return the picture coordinates (x, y), shares of its side, of a point of the body (warp left out)."""
        (a, b), (c, d) = self.to_picture
        return self.origin[0] + a * u + b * (v - 0.5), self.origin[1] + c * u + d * (v - 0.5)

    def window(self, u: float, v: float, half_width: float, half_height: float) -> Window:
        """Return the slices of the picture that hold a box of the body, with room for the warp."""
        x, y = self.place(u, v)
        (a, b), (c, d) = self.to_picture
        reach_x = abs(a) * half_width + abs(b) * half_height + self.slack
        reach_y = abs(c) * half_width + abs(d) * half_height + self.slack
        n = self.size
        low = [min(max(int(n * (z - r)), 0), n) for z, r in ((y, reach_y), (x, reach_x))]
        high = [min(max(int(n * (z + r)) + 2, 0), n) for z, r in ((y, reach_y), (x, reach_x))]
        return slice(low[0], high[0]), slice(low[1], high[1])

    def ellipse(self, u: float, v: float, half_width: float, half_height: float, reach: float = 1.3) -> tuple:
        """Return a window around an ellipse and its normalised radius there: 0 at the centre, 1 on the rim."""
        window = self.window(u, v, reach * half_width, reach * half_height)
        across = (self.u[window] - u) * (1 / half_width)
        along = (self.v[window] - v) * (1 / half_height)
        across *= across
        along *= along
        across += along
        return window, np.sqrt(across, out=across)

    @cached_property
    def _row(self) -> np.ndarray:
        """Index into the curves: the sample of sqrt(v), shifted by one curve on the patient's left."""
        root = np.sqrt(np.clip(self.v, 0, _CURVE_END**2))
        root *= (_CURVE - 1) / _CURVE_END
        root += 0.5
        return root.astype(np.int32) + self.left * np.int32(_CURVE)

    def along_height(self, right: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Return a curve over v, tabulated for either side, at every pixel."""
        return np.concatenate([right, left], dtype=float32, casting="same_kind").take(self._row)

    def across_width(self, right: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Return a curve over x, tabulated for either side, at every pixel; the sides blend in the midline."""
        column = np.clip(self.x * ((_DOME - 1) / _DOME_END), 0, _DOME - 1).astype(np.int32)
        return right.take(column) + (left - right).take(column) * edge(self.u, 0.04)


def pose(p: SimpleNamespace, size: int, rng: Generator) -> Frame:
    """Place a chest in the picture: scale, shift, tilt, shear, a smooth warp and a curved spine."""
    width = p.height * p.aspect
    centre_x, centre_y = 0.5 + p.shift, p.top + p.height / 2
    cos, sin = math.cos(math.radians(p.tilt)), math.sin(math.radians(p.tilt))
    z = fields.pixel_centres(size)
    dx, dy = (p.warp * (fields.smooth_noise(rng, size, 4) + 0.35 * fields.smooth_noise(rng, size, 8)) for _ in range(2))
    dy += (z - centre_y)[:, None]
    dx += (z - centre_x)[None]
    dx += p.shear * dy
    u = (cos / width) * dx - (sin / width) * dy
    v = (sin / p.height) * dx + (cos / p.height) * dy
    v += 0.5
    u += p.scoliosis * np.sin(1.2 * np.pi * (v - p.scoliosis_from))
    # The inverse of the straight part of the map, for placing things and their windows.
    down = -sin * width, cos * p.height
    across = cos * width - p.shear * down[0], sin * p.height - p.shear * down[1]
    return Frame(
        size=size,
        height=p.height,
        width=width,
        u=u,
        v=v,
        x=np.abs(u),
        left=u > 0,
        to_picture=(across, down),
        origin=(centre_x, centre_y),
        slack=2.5 * p.warp + abs(p.scoliosis) * width + 1.5 / size,
    )


@dataclass(frozen=True)
class Lungs:
    """The lung fields and what bounds them; arrays are (size, size) and float32 save for the mask.

    Attributes
    ----------
    half_width, dome_top, mediastinum_scale : float
        Half width of the rib cage, height v of the right dome, relative width of the mediastinum.
    wall_at, midline_at : array
        Distance x of the inner border of the ribs and of the border of the mediastinum, at each height.
    arch : array
        How far the aortic arch stands out at each height, on the patient's left.
    wall, mediastinum, heart, diaphragm : array
        Signed distance inwards from the ribs, outwards from the mediastinum (without the heart) and from
        the heart, upwards from the diaphragm.
    medial : array
        The smaller of `mediastinum` and `heart`, their crease rounded.
    depth : array
        The smallest of all: positive in the lung fields, of which `mask` is a part.
    mask, heart_mask : bool array
        What an annotator outlines as lungs, and as the heart.
    """

    half_width: float
    dome_top: float
    mediastinum_scale: float
    wall_at: np.ndarray
    midline_at: np.ndarray
    arch: np.ndarray
    wall: np.ndarray
    mediastinum: np.ndarray
    diaphragm: np.ndarray
    heart: np.ndarray
    medial: np.ndarray
    depth: np.ndarray
    mask: np.ndarray
    heart_mask: np.ndarray


_WALL_KNOTS = tuple(np.sqrt([0, 0.03, 0.08, 0.18, 0.35, 0.55, 0.8, 1.05, 1.8]))
# Half width of the rib cage from the apex down, as a share of its greatest; the first is the apex's own place.
_WALL = np.array([0, 0.455, 0.58, 0.725, 0.845, 0.91, 0.965, 1.0, 1.0])
_MEDIAL_KNOTS = tuple(np.sqrt([0, 0.025, 0.07, 0.14, 0.24, 0.34, 0.45, 0.6, 0.75, 0.9, 1.8]))
# Half width of the mediastinum: neck vessels, aortic arch (0.24), hila (0.34 to 0.45), right atrium.
_RIGHT_MEDIAL = np.array([0, 0.08, 0.057, 0.049, 0.054, 0.068, 0.087, 0.108, 0.118, 0.118, 0.118])
_LEFT_MEDIAL = np.array([0, 0.10, 0.082, 0.076, 0.062, 0.10, 0.12, 0.145, 0.16, 0.16, 0.16])


def _wall(p: SimpleNamespace, side: SimpleNamespace, rng: Generator) -> np.ndarray:
    """Return the tabulated inner border of the rib cage on one side."""
    share = _WALL.copy()
    share[1:3] *= p.squareness
    share[1:7] = 1 - (1 - share[1:7]) * p.taper
    share[0] = side.apex / side.half_width
    share[1] = max(share[1], share[0] + 0.09)
    share[2] = max(share[2], share[1] + 0.04)
    share[3] = max(share[3], share[2] + 0.02)
    share += p.bell * (np.square(_WALL_KNOTS) - 0.5) * (np.array(_WALL_KNOTS) > 0.2)
    values = share * side.half_width
    values[2:] += p.wall_wobble * rng.standard_normal(len(values) - 2)
    return fields.spline_basis(_WALL_KNOTS, _CURVE, _CURVE_END) @ values


def _medial(shape: np.ndarray, p: SimpleNamespace, side: SimpleNamespace, rng: Generator) -> np.ndarray:
    """Return the tabulated border of the mediastinum on one side, the heart left out."""
    values = shape * p.mediastinum
    values[1:] += p.medial_wobble * rng.standard_normal(len(values) - 1)
    values[0] = side.apex
    values[1] = min(values[1] + 0.02, side.apex - 0.03)
    np.clip(values, 0.02, None, out=values)
    return fields.spline_basis(_MEDIAL_KNOTS, _CURVE, _CURVE_END) @ values


def _dome(side: SimpleNamespace, top: float) -> np.ndarray:
    """Return the tabulated height v of one half of the diaphragm over x."""
    x = np.linspace(0, _DOME_END, _DOME, dtype=float32)
    summit = side.dome_centre * side.half_width
    lateral = np.clip((x - summit) / (side.half_width - summit), 0, None) ** side.lateral_power
    # Below the heart, where nobody sees it, the diaphragm is level.
    medial = np.clip((summit - np.maximum(x, 0.12)) / summit, 0, None) ** side.medial_power
    return (top + side.raised + side.lateral_fall * lateral + side.medial_fall * medial).astype(float32)


def lungs(frame: Frame, p: SimpleNamespace, right: SimpleNamespace, left: SimpleNamespace, rng: Generator) -> Lungs:
    """Return the lung fields: within the rib cage, beside mediastinum and heart, above the diaphragm.

    `p` are the parameters of the pair, `right` and `left` those of either side.
    """
    walls = _wall(p, right, rng), _wall(p, left, rng)
    medial_right = _medial(_RIGHT_MEDIAL, p, right, rng) - p.rotation
    knob = np.zeros_like(_LEFT_MEDIAL)
    knob[4] = p.aortic_knob
    medial_left = _medial(_LEFT_MEDIAL + knob, p, left, rng) + p.rotation
    arch = np.clip(fields.spline_basis(_MEDIAL_KNOTS, _CURVE, _CURVE_END) @ (knob * p.mediastinum), 0, None)
    # The left border slopes out towards the cardiac apex.
    v = np.linspace(0, _CURVE_END, _CURVE) ** 2
    medial_left += p.left_slope * np.clip((v - p.slope_from) / p.slope_length, 0, 1.1) ** p.slope_power
    domes = _dome(right, p.dome_top), _dome(left, p.dome_top + p.left_dome_lower)

    wall_at = frame.along_height(*walls)
    midline_at = frame.along_height(medial_right, medial_left)
    dome_at = frame.across_width(*domes)
    dome_at += p.dome_ripple * fields.smooth_noise(rng, frame.size, 8)
    wall, mediastinum, diaphragm = wall_at - frame.x, frame.x - midline_at, dome_at - frame.v
    heart = border(frame, p)
    medial = fields.soft_minimum(mediastinum, heart, 4 * p.crease)
    depth = np.minimum(np.minimum(wall, medial), np.minimum(diaphragm, frame.v))
    return Lungs(
        half_width=0.5 * (right.half_width + left.half_width),
        dome_top=p.dome_top,
        mediastinum_scale=p.mediastinum,
        wall_at=wall_at,
        midline_at=midline_at,
        arch=frame.along_height(np.zeros_like(arch), arch),
        wall=wall,
        mediastinum=mediastinum,
        diaphragm=diaphragm,
        heart=heart,
        medial=medial,
        depth=depth,
        mask=(wall > 0) & (diaphragm > p.base_inset) & (medial > p.medial_inset) & (frame.v > p.apex_inset),
        heart_mask=outline(frame, p, medial, heart),
    )


def air(frame: Frame, lungs: Lungs, p: SimpleNamespace) -> np.ndarray:
    """Return how much air the beam meets, 0 to about 1: what the lungs take away from the soft tissue.

    Deepest in the middle of a lung and thinner towards the wall; some lung lies behind the heart and behind
    the domes of the diaphragm, where no annotator draws it.
    """
    thick = np.clip(lungs.wall * (1 / p.rounding), 0, 1)
    thick = np.sqrt(thick * (2 - thick))
    towards_midline = np.clip(lungs.mediastinum * (1 / p.medial_rounding), 0, 1)
    thick *= (0.2 + 0.8 * p.medial_share) + (0.8 - 0.8 * p.medial_share) * towards_midline
    thick *= p.depth + p.basal_gain * frame.v
    inside = edge(lungs.wall, p.wall_softness)
    flat = np.clip(inside * 2 - 1, 0, 1)
    thick = (0.8 * p.flatness) * flat + (1 - p.flatness) * thick
    free = inside * edge(lungs.medial, p.medial_softness)
    beside = edge(np.minimum(lungs.medial + lungs.arch, lungs.heart), p.medial_softness)
    free += (1 - p.arch_opacity) * (inside * beside - free)
    free *= edge(frame.v - 0.012, 0.006)
    if p.behind_heart:
        behind = edge(-lungs.heart, p.heart_softness)
        behind *= edge(lungs.mediastinum, 0.02)
        behind *= inside
        behind *= p.behind_heart
        free += (1 - free) * behind
    above = edge(lungs.diaphragm, p.dome_softness)
    if p.behind_dome:
        recess = np.exp(np.clip(lungs.diaphragm, None, 0) * (1 / p.recess))
        above += (1 - above) * recess * p.behind_dome
    free *= above
    free *= thick
    return free
