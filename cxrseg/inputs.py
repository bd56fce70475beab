"""What the network sees: stored uint8 pixels turned into its input and its target."""

import numpy as np
from PIL import Image


def network_input(pixels: np.ndarray, size: int) -> np.ndarray:
    """Return images as the network takes them.

    Parameters
    ----------
    pixels : (n, height, width) uint8 array
        Square images, 0 black to 255 white.
    size : int
        Side of the network's input, pixels. Larger images are averaged down, not sampled.

    Returns
    -------
    (n, size, size, 1) float32 array
        Values 0 to 1.
    """
    return (_resize(pixels, size) / np.float32(255))[..., None]


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
    channels = [_resize(masks[..., k] * np.uint8(255), size) for k in range(masks.shape[-1])]
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
    return np.stack([_resize(probability[..., k], size) for k in range(probability.shape[-1])], axis=-1)


def _resize(stack: np.ndarray, size: int) -> np.ndarray:
    if stack.shape[1] == size:
        return stack
    # Pillow's bilinear filter widens with the reduction, so that shrinking averages instead of sampling.
    resized = [np.asarray(Image.fromarray(a).resize((size, size), Image.Resampling.BILINEAR)) for a in stack]
    return np.stack(resized)
