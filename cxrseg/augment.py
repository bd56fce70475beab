"""Random changes that a radiograph survives: where it lies, and how it is exposed."""

import numpy as np
from scipy.ndimage import affine_transform

ROTATION = np.deg2rad(7)  # patients are rarely straighter than this
SCALE = 0.12
SHIFT = 0.06  # share of the image's side
CONTRAST = 0.3
BRIGHTNESS = 0.15  # share of the range from black to white


def augment(image: np.ndarray, masks: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rotate, scale, shift and re-expose one image, its masks alike.

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
    image = affine_transform(image, matrix, offset, output=np.float32, order=1, mode="nearest")
    masks = np.stack(
        [affine_transform(mask, matrix, offset, order=1, mode="nearest") for mask in np.moveaxis(masks, -1, 0)], axis=-1
    )
    image = (image - 128) * (1 + rng.uniform(-CONTRAST, CONTRAST)) + 128 + 255 * rng.uniform(-BRIGHTNESS, BRIGHTNESS)
    return np.clip(image, 0, 255).astype(np.uint8), (masks > 0.5).astype(np.float32)
