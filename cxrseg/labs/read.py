"""Films and problems of the lab "Read a chest X-ray"."""

import math
from functools import lru_cache

import numpy as np

from cxrseg.phantom import Phantom, phantom, phantom_parts
from cxrseg.phantom.parameters import varied
from cxrseg.phantom.parameters.distributions import Always

SIZE = 160
"""Side of every film of the lab, pixels."""

_SEED = 4
_BARE = {
    "overlays": {name: Always(0) for name in ("texts", "wires", "tube")},
    "acquisition": {"collimated": Always(False)},
    "trunk": {"arms": Always(0)},
    "abdomen": {"bubbles": Always(0)},
}
# One patch of disease, of a given strength and at a given height of the lung.
_PATCH = {"patches": Always(1), "bilateral": Always(False), "patch_radius": Always((0.13, 0.16))}


def chest(number: int) -> Phantom:
    """Return a healthy chest without letters or wires over it, `SIZE` pixels a side."""
    return phantom(_SEED, number, "Normal", SIZE, varied("realistic", _BARE, "bare"))


def steps(number: int) -> dict[str, np.ndarray]:
    """Return the attenuation of the same chest after each group of parts, as `cxrseg.phantom.phantom_parts` does."""
    return phantom_parts(_SEED, number, "Normal", SIZE, varied("realistic", _BARE, "bare"))


def sick(number: int, strength: float, height: float) -> Phantom:
    """Return a chest with one patch of disease.

    Parameters
    ----------
    number : int
        Which chest.
    strength : float
        Share of the air that is replaced, 0 to 1.
    height : float
        Where the middle of the patch lies, from 0 at the top of the lungs to about 0.8 above the diaphragm.
    """
    patch = _PATCH | {"patch_amount": Always((strength, strength)), "patch_v": Always((height, height))}
    return phantom(_SEED, number, "COVID", SIZE, varied("realistic", _BARE | {"disease COVID": patch}, "sick"))


@lru_cache
def album() -> dict[str, np.ndarray]:
    """Return four films by letter, one of which somebody has turned over."""
    films = {letter: chest(number).image for letter, number in zip("ABCD", (11, 7, 15, 19), strict=True)}
    return films | {"C": np.ascontiguousarray(films["C"][:, ::-1])}


def share_through(answer: float) -> str:
    """Ask what share passes 12 cm, 4 of them air, of a tissue that lets half pass in 4 cm."""
    tissue = (12 - 4) / 4
    if math.isclose(answer, 0.5**tissue, abs_tol=1e-3):
        return ""
    if math.isclose(answer, 0.5**3, abs_tol=1e-3):
        return "the 4 cm of air take nothing away, so count the tissue alone"
    if math.isclose(answer, 1 - 0.5**tissue, abs_tol=1e-3):
        return "that is what is lost on the way; what arrives?"
    if math.isclose(answer, 0, abs_tol=1e-3):
        return "the second 4 cm of tissue take half of what the first have left, not half of the whole"
    if answer > 1:
        return "a share lies between 0 and 1"
    return "how many times is the beam halved?"


def window_of(function) -> str:
    """Ask for a function that turns depth, level and width into grey from 0 to 1."""
    depths = np.array([[1.0, 0.9, 0.1], [2.0, 3.0, 2.5]])
    for level, width in ((1.0, 0.4), (2.5, 4.0)):
        try:
            greys = function(depths.copy(), level, width)
        except ValueError:
            greys = 0
        if greys is None:
            return "the function returns nothing yet"
        if np.shape(greys) != depths.shape:
            return "the function has to take a whole array of depths and return as many greys"
        black, white = level - width / 2, level + width / 2
        for depth, grey in zip(depths.flat, np.ravel(greys), strict=True):
            wanted = min(max((depth - black) / (white - black), 0), 1)
            if math.isclose(grey, wanted, abs_tol=1e-6):
                continue
            case = f"at level {level} and width {width}, a depth of {depth} becomes"
            if grey < 0 or grey > 1:
                return f"{case} {grey:.2f}: what lies outside the window has to stay black or white"
            return f"{case} {wanted:.2f}, not {grey:.2f}: black is half a width below the level, white half above"
    return ""


def turned_over(answer: str) -> str:
    """Ask which film of the album is mirrored."""
    if answer == "C":
        return ""
    if answer not in ("A", "B", "D"):
        return "answer with one of A, B, C, D, in quotation marks"
    return "in that one, the heart reaches to the right of the picture, as it should"


def air_outside(answer: float, air: np.ndarray, lungs: np.ndarray) -> str:
    """Ask for the share of the lungs' air that lies outside their outline."""
    inside, outside = (float(air[place].sum(dtype=float)) for place in (lungs, ~lungs))
    if math.isclose(answer, outside / (inside + outside), abs_tol=1e-4):
        return ""
    if math.isclose(answer, inside / (inside + outside), abs_tol=1e-4):
        return "that is the share inside the outline; the other one is asked for"
    if math.isclose(answer, outside / inside, abs_tol=1e-4):
        return "divide by all the air, not by the air inside"
    if math.isclose(answer, 1 - lungs.mean(), abs_tol=1e-3):
        return "that counts pixels; add up the air in them"
    return "add up `air` where `lungs` is False, and divide by the sum of all `air`"


def on_the_patch(film: Phantom, row: float, column: float) -> str:
    """Ask for a point of the patch of disease in a film."""
    size = len(film.image)
    if not (0 <= row < size and 0 <= column < size):
        return f"rows and columns run from 0 to {size - 1}"
    if film.infection[round(row), round(column)]:
        return ""
    if film.infection[round(column), round(row)]:
        return "row and column are exchanged: the row counts from the top"
    if film.infection[round(row), size - 1 - round(column)]:
        return "right height, wrong side"
    rows, columns = np.nonzero(film.infection)
    down, across = row - rows.mean(), column - columns.mean()
    if abs(down) > abs(across):
        return "look further up" if down > 0 else "look further down"
    return "look further to the left of the picture" if across > 0 else "look further to the right of the picture"


def side_and_zone(film: Phantom, side: str, zone: str) -> str:
    """Ask on which side of the patient, and in which third of the lung's height, the patch of disease lies."""
    zones = ("upper", "middle", "lower")
    if side not in ("right", "left") or zone not in zones:
        return 'answer with "right" or "left", and with "upper", "middle" or "lower"'
    if side != ("left" if (film.infection & film.left_lung).any() else "right"):
        return "which side of the patient is it? You look at each other"
    lung = np.flatnonzero((film.left_lung if side == "left" else film.right_lung).any(1))
    middle = np.nonzero(film.infection)[0].mean()
    right = zones[min(int(3 * (middle - lung[0]) / (lung[-1] + 1 - lung[0])), 2)]
    return "" if zone == right else "cut that lung in three parts of equal height, and look again"
