"""Convert stored uint8 pixels to the input and the target of the network."""

import numpy as np
from PIL import Image


def network_input(pixels: np.ndarray, size: int) -> np.ndarray:
    """Resize images to the network's input size and scale their grey levels to between 0 and 1.

    Parameters
    ----------
    pixels : (n, side, side) uint8 array
        Square images, 0 black to 255 white.
    size : int
        Side of the network's input in pixels.

    Returns
    -------
    (n, size, size, 1) float32 array, 0 to 1
    """
    return (resize(pixels, size) / np.float32(255))[..., None]


def network_target(masks: np.ndarray, size: int) -> np.ndarray:
    """Resample square masks to the network's grid.

    Parameters
    ----------
    masks : (n, side, side, structures) uint8 array of 0 and 1
    size : int

    Returns
    -------
    (n, size, size, structures) float32 array of 0 and 1
        A pixel is 1 where the structure covers at least half of it.
    """
    if masks.shape[1] == size:
        return masks.astype(np.float32)
    channels = [resize(masks[..., k] * np.uint8(255), size) for k in range(masks.shape[-1])]
    return (np.stack(channels, axis=-1) >= 127.5).astype(np.float32)


def to_grid(probability: np.ndarray, size: int) -> np.ndarray:
    """Interpolate probability maps to another square grid.

    Parameters
    ----------
    probability : (n, side, side, structures) float32 array, 0 to 1
    size : int

    Returns
    -------
    (n, size, size, structures) float32 array, 0 to 1
    """
    if probability.shape[1] == size:
        return probability
    return np.stack([resize(probability[..., k], size) for k in range(probability.shape[-1])], axis=-1)


def resize(stack: np.ndarray, size: int) -> np.ndarray:
    """Resize square images, (n, side, side) uint8 or float32, to (n, size, size), averaging when shrinking."""
    if stack.shape[1] == size:
        return stack
    # Pillow widens its bilinear filter when it shrinks an image, which averages pixels and so avoids aliasing.
    resized = [np.asarray(Image.fromarray(a).resize((size, size), Image.Resampling.BILINEAR)) for a in stack]
    return np.stack(resized)
