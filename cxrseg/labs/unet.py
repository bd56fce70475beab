"""Problems of the lab "Build the U-Net"."""

import math
from collections.abc import Callable

import keras
import numpy as np

from cxrseg.train.unet import unet

PAPER = 7_759_521
"""Parameters of the paper's network, as the paper prints them."""


def bottom(side: float, stands_for: float) -> str:
    """Ask for the side of 256 pixels halved four times, and how many pixels one of the smallest stands for."""
    if side == 256 / 4:
        return "that is halved twice; after each halving, the next one starts from what is left"
    if side != 256 / 2 / 2 / 2 / 2:
        return "halve 256 four times"
    if stands_for == 256 / side:
        return "that is how many stand side by side; a pixel is a square"
    return "" if stands_for == (256 / side) ** 2 else "the whole film has 256 x 256 pixels; share them among 16 x 16"


def convolution(function: Callable[[int, int, int], int]) -> str:
    """Ask for a function that counts the parameters of a convolution."""
    for kernel, inputs, outputs in ((3, 1, 32), (3, 32, 64), (1, 32, 1), (2, 7, 5)):
        found = function(kernel, inputs, outputs)
        if found is None:
            return "the function returns nothing yet"
        layer = keras.layers.Conv2D(outputs, kernel)
        layer.build((None, 8, 8, inputs))
        right = layer.count_params()
        if found == right:
            continue
        case = f"{kernel} x {kernel}, {inputs} to {outputs} channels"
        if found == right - outputs:
            return f"{case}: the biases are missing, one for each output"
        if found == right - outputs + 1:
            return f"{case}: each output has a bias of its own"
        if inputs > 1 and found == (kernel * kernel + 1) * outputs:
            return f"{case}: each output has a kernel for each input"
        return f"{case}: there are {right} parameters, not {found}"
    return ""


def step_up(function: Callable) -> str:
    """Ask for a step up the U-Net, as a function of Keras tensors from below and from the side, and of a width."""
    below, side = keras.Input((8, 8, 6)), keras.Input((16, 16, 3))
    made = function(below, side, 3)
    if made is None:
        return "the function returns nothing yet"
    if tuple(made.shape) != (None, 16, 16, 3):
        shape = " x ".join(str(n) for n in made.shape[1:])
        return f"from 8 x 8 x 6 below and 16 x 16 x 3 at the side, a width of 3 gives 16 x 16 x 3, not {shape}"
    if not _needs_more(made, below):
        return "the skip is not used"
    transposed, first, second = 4 * 6 * 3 + 3, 9 * (3 + 3) * 3 + 3, 9 * 3 * 3 + 3
    found = keras.Model([below, side], made).count_params()
    if found == transposed + first + second:
        return ""
    if found == transposed + second + second:
        return "put the skip beside the channels from below; do not add the two"
    if found == transposed + first:
        return "a level has two convolutions"
    return f"at this size a step has {transposed + first + second} parameters, and yours has {found}"


def whole(function: Callable[[int, int], int]) -> str:
    """Ask for a function that counts the parameters of a U-Net."""
    for width, depth in ((2, 2), (4, 3), (6, 4), (32, 5)):
        found = function(width, depth)
        if found is None:
            return "the function returns nothing yet"
        right = PAPER if (width, depth) == (32, 5) else unet(2**depth, 1, width, depth).count_params()
        if found == right:
            continue
        case = f"for a width of {width} and a depth of {depth}"
        widths = [width * 2**level for level in range(depth)]
        if found == right - width - 1:
            return f"{case}, the last convolution of 1 x 1 is missing"
        if found == right - 9 * sum(w * w for w in widths[:-1]):
            return f"{case}, the skips are missing: upward, the first convolution of a level has twice as many inputs"
        if found == right - sum((8 * w + 1) * w for w in widths[:-1]):
            return f"{case}, the transposed convolutions are missing"
        return f"{case}, there are {right:,} parameters, not {found:,}"
    return ""


def what_changes(at_512: float, share_with_16: float) -> str:
    """Ask for the parameters at another size of film, and for the share that is left with half of the channels."""
    if at_512 != PAPER:
        return "do kernels grow with the film that they slide over?"
    if math.isclose(share_with_16, 0.5, abs_tol=0.01):
        return "half of the channels means half of the inputs and half of the outputs of nearly each layer"
    if not math.isclose(share_with_16, 0.25, abs_tol=0.01):
        return "how does the number of parameters of one layer change if its inputs and its outputs are halved?"
    return ""


def unsure(function: Callable[[np.ndarray], float]) -> str:
    """Ask for the share of probabilities from 0.1 to 0.9."""
    for p, right in (([[0.0, 0.5], [0.95, 0.3]], 1 / 2), ([[0.02, 0.99], [1.0, 0.0]], 0), ([[0.6, 0.4, 0.05]], 2 / 3)):
        found = function(np.array(p))
        if found is None:
            return "the function returns nothing yet"
        if math.isclose(found, right, abs_tol=1e-6):
            continue
        if math.isclose(found, 1 - right, abs_tol=1e-6):
            return "that is the share that is sure"
        if math.isclose(found, right * np.size(p), abs_tol=1e-6):
            return "that is their number; divide by the number of all pixels"
        return f"of {p}, a share of {right:.3f} is unsure, not {found:.3f}"
    return ""


def _needs_more(made, source) -> bool:
    """Return whether a Keras tensor is computed from another input than this one as well."""
    try:
        keras.Model(source, made)
    except ValueError:
        return True
    return False
