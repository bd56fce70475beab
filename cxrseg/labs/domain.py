"""Problems of the lab "Another hospital"."""

import math
from collections.abc import Callable

import numpy as np

KINDS = ("gain", "gamma", "noise", "turn", "shift")


def power_that_brightens(power: float) -> str:
    """Ask for the power that turns a grey value of 0.25 into 0.5."""
    if math.isclose(power, 0.5, abs_tol=1e-3):
        return ""
    if math.isclose(power, 2, abs_tol=1e-3):
        return "a power of 2 turns 0.25 into 0.0625, which is darker: values below 1 shrink when they are squared"
    return f"0.25 to the power of {power:g} is {0.25**power:.3f}"


def mirrors(function: Callable) -> str:
    """Ask for a change that swaps left and right of image and mask together, with a chance of one half."""
    rng = np.random.default_rng(5)
    image = rng.random((6, 6))
    mask = image > 0.6
    seen = []
    for _ in range(60):
        result = function(image.copy(), mask.copy(), rng)
        if result is None:
            return "the function returns nothing yet"
        pair = [np.asarray(part) for part in result]
        turned = [_kind(made, whole) for made, whole in zip(pair, (image, mask), strict=True)]
        if "upside down" in turned:
            return "this swaps top and bottom, the rows: the columns are the second index"
        if "other" in turned:
            return "the image or the mask is neither the one given nor its mirror image"
        if turned[0] != turned[1]:
            return "image and mask must be mirrored together, by the same throw of the coin"
        seen.append(turned[0] == "mirrored")
    if all(seen) or not any(seen):
        return (
            f"in 60 calls the picture was {'always' if seen[0] else 'never'} mirrored: it should be about half of them"
        )
    if not 15 <= sum(seen) <= 45:
        return f"in 60 calls the picture was mirrored {sum(seen)} times: it should be about half of them"
    return ""


def _kind(made: np.ndarray, whole: np.ndarray) -> str:
    """Return how an array was made of another, which has no symmetry."""
    for name, candidate in (("same", whole), ("mirrored", np.fliplr(whole)), ("upside down", np.flipud(whole))):
        if np.array_equal(made, candidate):
            return name
    return "other"


def forecast(at_bright: str, at_noisy: str, at_crooked: str) -> str:
    """Ask which change helps against a bright, flat display, against noise, and against crooked patients."""
    for answer in (at_bright, at_noisy, at_crooked):
        if answer not in KINDS:
            return f"answer with three of {', '.join(KINDS)}"
    if at_bright not in ("gain", "gamma"):
        return f"at the bright hospital the grey values differ, and {at_bright} does not make brighter films"
    if at_noisy != "noise":
        return f"at the noisy hospital each pixel is off by itself, which {at_noisy} never shows to the network"
    if at_crooked == "shift":
        return "a patient who lies crooked is turned; a film that is shifted stays upright"
    if at_crooked != "turn":
        return f"at the crooked hospital the lungs point elsewhere, and {at_crooked} does not move a pixel"
    return ""


def share_won(share: float, scores: dict[str, list[float]]) -> str:
    """Ask which share of the Dice that the second hospital lost was won back by gain."""
    home, lost, won = scores["nothing"][0], scores["nothing"][1], scores["gain"][1]
    if math.isclose(share, (won - lost) / (home - lost), abs_tol=5e-3):
        return ""
    if math.isclose(share, won - lost, abs_tol=5e-3):
        return "that is how much was won; divide it by how much was lost"
    if math.isclose(share, won / home, abs_tol=5e-3):
        return "that counts what was never lost, too: subtract what the network had there without augmentation"
    return "divide what gain added at the second hospital by what was lost between the first and the second"


def ignores_exposure(function: Callable[[np.ndarray], np.ndarray]) -> str:
    """Ask for a function of an image that does not see gain and offset, and still sees the picture."""
    image, other = np.random.default_rng(3).random((2, 8, 8))
    plain = function(image.copy())
    if plain is None:
        return "the function returns nothing yet"
    if np.shape(plain) != image.shape:
        return f"an image of 8 by 8 pixels became an array of shape {np.shape(plain)}"
    if not np.allclose(function(image + 0.2), plain, atol=1e-6):
        return "it still changes when 0.2 is added to all pixels: subtract something that grows as much"
    if not np.allclose(function(0.5 * image), plain, atol=1e-6):
        return "it still changes when all pixels are halved: divide by something that is halved as well"
    if np.allclose(function(other), plain, atol=1e-3):
        return "two different films give the same result: the picture is lost"
    return ""
