"""Tell from a network's lungs whether a radiograph is turned or inverted.

A network is surest of its outline where the radiograph lies as those that it learnt from. So one of whose outline it
is not sure is tried in the other turns. Lungs hold air: if the air is dark, most of the outline is darker inside than
outside. The experiment ``turned`` measures how often both are right. A mirrored radiograph is not told from others, nor
one that is flipped upside down from one that is turned by 180 degrees.
"""

from typing import NamedTuple

import numpy as np

from cxrseg.evaluate.predict import Network, predict
from cxrseg.evaluate.quality import edge_agreement

UNSURE = 2
"""Doubt in the best of the turns, in units of the network's usual doubt, beyond which nothing is said of a picture."""

MARGIN = 0.2
"""Confidence that another turn must gain over the picture as it is, in units of the network's usual doubt."""


class Orientation(NamedTuple):
    """How a radiograph seems to lie.

    Attributes
    ----------
    turned : int
        Degrees clockwise by which it seems turned from upright, 0, 90, 180 or 270. One that is flipped upside down
        counts as turned by 180.
    inverted : bool
        Whether air seems to be bright.
    """

    turned: int
    inverted: bool


UPRIGHT = Orientation(0, False)


def orientation(network: Network, usual: float, square: np.ndarray, levels: np.ndarray) -> Orientation:
    """Tell how a radiograph seems to lie.

    Parameters
    ----------
    network : Network
        A network whose first structure is the lungs, trained on upright radiographs.
    usual : float
        Its usual `confidence`, below 1, as `cxrseg.models.ModelCard` has it: networks differ in how sure they are. What
        is missing to 1 is called the usual doubt. From this confidence on, the other turns are not tried.
    square : (side, side) uint8 array
        The radiograph, from 0 (black) to 255 (white).
    levels : (side, side) uint8 array
        What the network finds in it, the probability of lung times 255, as `cxrseg.evaluate.predict.predict` returns
        it.

    Returns
    -------
    Orientation
        Upright and not inverted, unless the network is sure of something else.
    """
    least, margin = 1 - UNSURE * (1 - usual), MARGIN * (1 - usual)
    turn, picture, best = 0, square, confidence(levels)
    if best < usual:
        turns = np.stack([np.rot90(square, k) for k in range(4)])
        found = np.concatenate([levels[None], predict(network, turns[1:])[..., 0]])
        turn, best = _surest(found, margin)
        if best < (usual if turn else least) or _air_is_bright(found[turn], turns[turn]):
            # A network is less sure of a polarity that it has not learnt, so each turn counts with the better of both.
            inverse = predict(network, 255 - turns)[..., 0]
            found = np.stack([max(pair, key=confidence) for pair in zip(found, inverse, strict=True)])
            turn, best = _surest(found, margin)
        picture, levels = turns[turn], found[turn]
    if best < least:
        return UPRIGHT
    return Orientation(90 * turn, _air_is_bright(levels, picture))


def _surest(found: np.ndarray, margin: float) -> tuple[int, float]:
    """Return the turn of which the network is surest, none unless it gains the margin, and the confidence in it."""
    sure = [confidence(levels) for levels in found]
    turn = int(np.argmax(sure))
    if sure[turn] < sure[0] + margin:
        turn = 0
    return turn, sure[turn]


def _air_is_bright(levels: np.ndarray, picture: np.ndarray) -> bool:
    """Return whether most of the outline is brighter inside than outside."""
    mask = levels >= 127.5
    return edge_agreement(mask, picture) < 0.5 < edge_agreement(mask, 255 - picture)


def confidence(levels: np.ndarray) -> float:
    """Return the Dice of the mask at a threshold of 0.5 that the probabilities themselves lead one to expect.

    It is twice the summed probability in the mask over the area of the mask plus the summed probability everywhere: 1
    if the network is sure of each pixel, 0 if the mask is empty.

    Parameters
    ----------
    levels : (height, width) uint8 array
        Probability times 255.
    """
    mask = levels >= 127.5
    whole = int(levels.sum(dtype=np.int64)) + 255 * int(np.count_nonzero(mask))
    return 2 * int(levels[mask].sum(dtype=np.int64)) / whole if whole else 0.0
