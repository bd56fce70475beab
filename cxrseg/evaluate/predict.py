"""Predict the masks of an image. Scoring, external validation and `cxrseg segment` all use this pipeline.

::

    image
      ─ to_square ─────▶ square of 256 pixels
      ─ network_input ─▶ input of the network
      ─ network ───────▶ probability on the grid of the network
      ─ to_grid ───────▶ levels, steps of 1/255, on the square
      ─ to_masks ──────▶ masks on the square
      ─ in_pixels ─────▶ masks at the native resolution of the image

A prepared dataset already contains the squares, and is scored with the masks on the square.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cxrseg import models
from cxrseg.data.square import cut_from_square, to_square
from cxrseg.evaluate.masks import to_levels, to_masks
from cxrseg.models import LUNGS, outputs
from cxrseg.train.inputs import network_input, to_grid

GRID = 256
"""Side in pixels of the square on which masks are computed, unless the network has a larger input."""


class Network(NamedTuple):
    """A trained network, independent of the library that runs it.

    Attributes
    ----------
    input_size : int
        Side of the network's input in pixels.
    probability : callable
        Maps (n, size, size, 1) float32 grey levels from 0 to 1 to (n, size, size, outputs) float32 probabilities of
        the `cxrseg.models.outputs` of the structures.
    structures : list of str
        Segmented structures. Where the network predicts each lung, lungs come first, and their probability is the
        larger of the two.
    """

    input_size: int
    probability: Callable[[np.ndarray], np.ndarray]
    structures: list[str]

    @property
    def grid(self) -> int:
        """Side in pixels of the square on which the masks are computed."""
        return max(GRID, self.input_size)


def load_keras(files: list[Path], structures: list[str]) -> Network:
    """Load Keras models as one network, which returns their mean probability.

    Parameters
    ----------
    files : list of Path
        ``model.keras`` of the folds of one run.
    structures : list of str
        The structures of the run.
    """
    import keras

    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # TensorFlow warns when several networks predict
    loaded = [models.load(file) for file in files]

    def probability(inputs: np.ndarray) -> np.ndarray:
        found = [keras.ops.convert_to_numpy(model.predict_on_batch(inputs)) for model in loaded]
        return found[0] if len(found) == 1 else np.mean(found, axis=0)

    return Network(loaded[0].input_shape[1], probability, structures)


def predict(network: Network, squares: np.ndarray) -> np.ndarray:
    """Predict the probabilities of square images.

    Parameters
    ----------
    network : Network
    squares : (n, size, size) uint8 array
        Grey levels from 0 (black) to 255 (white).

    Returns
    -------
    (n, size, size, structures) uint8 array
        Probability times 255.
    """
    probability = network.probability(network_input(squares, network.input_size))
    levels, predicted = to_levels(to_grid(probability, squares.shape[1])), outputs(network.structures)
    if len(predicted) < len(network.structures):
        sides = [levels[..., predicted.index(side)] for side in LUNGS]
        levels = np.concatenate([np.maximum(*sides)[..., None], levels], axis=-1)
    return levels


class Prediction(NamedTuple):
    """The prediction of a network for one image.

    Attributes
    ----------
    square : (grid, grid) uint8 array
        The image padded and resized by `cxrseg.data.square.to_square`.
    levels : (grid, grid, structures) uint8 array
        Probability times 255.
    masks : (grid, grid, structures) bool array
    structures : list of str
        The network's.
    """

    square: np.ndarray
    levels: np.ndarray
    masks: np.ndarray
    structures: list[str]


def predict_image(network: Network, image: np.ndarray, threshold: float, pieces: int) -> Prediction:
    """Segment one image of any shape.

    Parameters
    ----------
    network : Network
    image : (height, width) uint8 array
        Grey levels from 0 (black) to 255 (white).
    threshold, pieces
        As for `cxrseg.evaluate.masks.to_masks`.
    """
    square = to_square(image, network.grid)
    levels = predict(network, square[None])[0]
    return Prediction(square, levels, to_masks(levels, threshold, pieces, network.structures), network.structures)


def in_pixels(found: Prediction, threshold: float, shape: tuple[int, int]) -> np.ndarray:
    """Resample the masks of a prediction to the grid of the image, or to a smaller one of the same aspect ratio.

    The outline follows the interpolated probabilities and is therefore smooth. Dropped components stay dropped,
    and filled holes stay filled. Lungs that a network predicts by side are the union of both.

    Parameters
    ----------
    found : Prediction
    threshold : float
        The threshold with which the prediction was made.
    shape : (int, int)
        Height and width of the grid.

    Returns
    -------
    (height, width, structures) bool array
    """
    cut = threshold * 255
    above = found.levels >= cut
    levels = np.where(above & ~found.masks, 0, np.where(found.masks & ~above, 255, found.levels)).astype(np.float32)
    names, predicted = found.structures, outputs(found.structures)
    masks = np.empty((len(names), *shape), bool)
    for k in range(len(names) - len(predicted), len(names)):
        masks[k] = cut_from_square(levels[..., k], cut, shape)
    if len(predicted) < len(names):
        masks[0] = np.logical_or.reduce([masks[names.index(side)] for side in LUNGS])
    return np.moveaxis(masks, 0, -1)
