"""What the network sees: stored uint8 pixels turned into its input and its target."""

from functools import cache

import numpy as np
from PIL import Image

CHANNELS = {"as_is": 1, "equalised": 2}
"""How many channels the network's input has, by `contrast`."""

LOCAL = 1 / 16
"""Scale of the local normalisation, as a share of the image's side: about the width of two ribs."""


def network_input(pixels: np.ndarray, size: int, contrast: str = "as_is") -> np.ndarray:
    """Return images as the network takes them.

    Parameters
    ----------
    pixels : (n, height, width) uint8 array
        Square images, 0 black to 255 white.
    size : int
        Side of the network's input, pixels. Larger images are averaged down, not sampled.
    contrast : str
        ``"as_is"``: one channel, grey levels from 0 to 1. ``"equalised"``: two channels that exposure
        hardly changes, the histogram-equalised image from -1 to 1, and that with its local mean
        subtracted and its local contrast evened out.

    Returns
    -------
    (n, size, size, 1 or 2) float32 array
    """
    small = resize(pixels, size)
    if contrast == "as_is":
        return (small / np.float32(255))[..., None]
    even = np.stack([_equalise(image) for image in small])
    blur = _gaussian(size, LOCAL * size)
    detail = even - blur @ even @ blur.T
    local = detail / np.sqrt(blur @ detail**2 @ blur.T + np.float32(0.01))  # 0.01: flat regions stay flat
    return np.stack([even, local], axis=-1)


def _equalise(image: np.ndarray) -> np.ndarray:
    """Return the share of pixels that are darker, -1 to 1; what is outside the middle 98% counts as clipped."""
    count = np.bincount(image.ravel(), minlength=256)
    rank = (np.cumsum(count) - count / 2) / image.size
    rank = np.clip((rank - 0.01) / 0.98, 0, 1)
    return (2 * rank - 1).astype(np.float32)[image]


@cache
def _gaussian(size: int, sigma: float) -> np.ndarray:
    """Return the matrix that blurs along one side; at the edges, it averages what there is."""
    distance = np.subtract.outer(np.arange(size), np.arange(size))
    weight = np.exp(-0.5 * (distance / sigma) ** 2)
    return (weight / weight.sum(axis=1, keepdims=True)).astype(np.float32)


def network_target(masks: np.ndarray, size: int) -> np.ndarray:
    """Return masks on the network's grid.

    Parameters
    ----------
    masks : (n, height, width, structures) uint8 array of 0 and 1
    size : int

    Returns
    -------
    (n, size, size, structures) float32 array of 0 and 1
        A pixel counts where the structure covers at least half of it.
    """
    if masks.shape[1] == size:
        return masks.astype(np.float32)
    channels = [resize(masks[..., k] * np.uint8(255), size) for k in range(masks.shape[-1])]
    return (np.stack(channels, axis=-1) >= 127.5).astype(np.float32)


def to_grid(probability: np.ndarray, size: int) -> np.ndarray:
    """Interpolate probability maps onto another square grid.

    Parameters
    ----------
    probability : (n, height, width, structures) float32 array, 0 to 1
    size : int

    Returns
    -------
    (n, size, size, structures) float32 array, 0 to 1
    """
    if probability.shape[1] == size:
        return probability
    return np.stack([resize(probability[..., k], size) for k in range(probability.shape[-1])], axis=-1)


def resize(stack: np.ndarray, size: int) -> np.ndarray:
    """Resize square images, (n, side, side) uint8 or float32, to (n, size, size); shrinking averages."""
    if stack.shape[1] == size:
        return stack
    # Pillow's bilinear filter widens with the reduction.
    resized = [np.asarray(Image.fromarray(a).resize((size, size), Image.Resampling.BILINEAR)) for a in stack]
    return np.stack(resized)
