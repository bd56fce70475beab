"""Random augmentation of geometry and exposure, within the range seen in real radiographs."""

import numpy as np
from PIL import Image

ROTATION = np.deg2rad(7)  # largest angle either way, because patients rarely stand perfectly straight
SCALE = 0.12
SHIFT = 0.06  # share of the image's side
CONTRAST = 0.3
BRIGHTNESS = 0.15  # share of the range from black to white
MARGIN = 1 / 4  # share of the side; no transformed corner lies farther outside the image


def augment(image: np.ndarray, masks: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rotate, scale, shift and re-expose one image, and apply the same geometric transform to its masks.

    Parameters
    ----------
    image : (size, size) uint8 array
    masks : (size, size, structures) float32 array of 0 and 1
    rng : numpy.random.Generator

    Returns
    -------
    image : (size, size) uint8 array
    masks : (size, size, structures) float32 array of 0 and 1
    """
    size = len(image)
    angle, zoom = rng.uniform(-ROTATION, ROTATION), 1 + rng.uniform(-SCALE, SCALE)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
    centre = np.full(2, (size - 1) / 2)
    offset = centre - matrix @ (centre + rng.uniform(-SHIFT, SHIFT, 2) * size)
    image = _moved(image, matrix, offset).astype(np.float32)
    masks = np.stack(
        [_moved(mask.astype(np.uint8) * np.uint8(255), matrix, offset) for mask in np.moveaxis(masks, -1, 0)], axis=-1
    )
    image = (image - 128) * (1 + rng.uniform(-CONTRAST, CONTRAST)) + 128 + 255 * rng.uniform(-BRIGHTNESS, BRIGHTNESS)
    return np.clip(image, 0, 255).astype(np.uint8), (masks > 127).astype(np.float32)


def _moved(image: np.ndarray, matrix: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Return the image whose pixel at (row, column) x is taken from ``matrix @ x + offset``; the border is repeated."""
    size, margin = len(image), round(MARGIN * len(image))
    (d, c), (b, a) = matrix  # Pillow puts columns first, and its origin is the corner of a pixel
    shift = offset + margin + (1 - matrix.sum(axis=1)) / 2
    padded = Image.fromarray(np.pad(image, margin, mode="edge"))
    # Pillow is faster than SciPy here, which matters because augmentation and the network share the cores.
    moved = padded.transform(
        (size, size), Image.Transform.AFFINE, (a, b, shift[1], c, d, shift[0]), Image.Resampling.BILINEAR
    )
    return np.asarray(moved)
