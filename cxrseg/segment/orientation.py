"""Tell from a network's lungs whether a radiograph is turned or inverted.

A network is surest of its outline where the radiograph lies as those that it learnt from. So one of whose outline it
is not sure is tried in the other turns. Lungs hold air: if the air is dark, most of the outline is darker inside than
outside. ``experiments/turned.py`` measures how often both are right. A mirrored radiograph is not told from others, nor
one that is flipped upside down from one that is turned by 180 degrees.
"""

from typing import NamedTuple

import numpy as np

from cxrseg.evaluate.predict import Network, predict
from cxrseg.evaluate.quality import edge_agreement

SURE = 0.945
"""Confidence from which on a radiograph is taken for upright without trying the other turns."""

UNSURE = 0.9
"""Confidence below which, in the best of the turns, nothing is said of a picture. It may be no radiograph."""

MARGIN = 0.01
"""Confidence that another turn must gain over the picture as it is."""


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


def orientation(network: Network, square: np.ndarray, levels: np.ndarray) -> Orientation:
    """Tell how a radiograph seems to lie.

    Parameters
    ----------
    network : Network
        A network whose first structure is the lungs, trained on upright radiographs.
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
    turn, picture, best = 0, square, confidence(levels)
    if best < SURE:
        turns = np.stack([np.rot90(square, k) for k in range(4)])
        found = np.concatenate([levels[None], predict(network, turns[1:])[..., 0]])
        turn, best = _surest(found)
        if best < UNSURE or _air_is_bright(found[turn], turns[turn]):
            # A network may have learnt from one polarity only, so each turn counts with the one that suits it better.
            inverse = predict(network, 255 - turns)[..., 0]
            found = np.stack([max(pair, key=confidence) for pair in zip(found, inverse, strict=True)])
            turn, best = _surest(found)
        picture, levels = turns[turn], found[turn]
    if best < UNSURE:
        return Orientation(0, False)
    return Orientation(90 * turn, _air_is_bright(levels, picture))


def _surest(found: np.ndarray) -> tuple[int, float]:
    """Return the turn of which the network is surest, none unless it gains `MARGIN`, and the confidence in it."""
    sure = [confidence(levels) for levels in found]
    turn = int(np.argmax(sure))
    if sure[turn] < sure[0] + MARGIN:
        turn = 0
    return turn, sure[turn]


def _air_is_bright(levels: np.ndarray, picture: np.ndarray) -> bool:
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
