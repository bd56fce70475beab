"""A digital chest: radiographs made from anatomy, disease and physics, with exact masks.

No real picture goes into it. Two settings of the same code: ``"realistic"`` looks like a chest X-ray,
``"randomised"`` varies everything far beyond that, for a network that is to read X-rays it has never seen.
"""

import zlib
from typing import NamedTuple

import numpy as np

from cxrseg.phantom.parameters import DISEASES, SETTINGS, Setting
from cxrseg.phantom.render import chest, parts

LABELS = tuple(DISEASES)
"""Diagnostic classes that a phantom may have."""


class Phantom(NamedTuple):
    """One made radiograph.

    Attributes
    ----------
    image : (size, size) uint8 array
        0 black (air) to 255 white.
    lungs : (size, size) bool array
        The two lung fields as radiologists outline them: bounded by chest wall, mediastinum, heart and
        diaphragm; lung behind the heart or below the domes is left out, diseased lung is not.
    infection : (size, size) bool array
        Where disease has replaced air, inside `lungs`; empty in a normal chest.
    right_lung, left_lung : (size, size) bool array
        The two parts of `lungs`. The right lung is on the left of the picture, also where the picture is mirrored.
    heart : (size, size) bool array
        The heart as annotators outline it: between the lungs, from the pulmonary trunk to a little below the dome.
    """

    image: np.ndarray
    lungs: np.ndarray
    infection: np.ndarray
    right_lung: np.ndarray
    left_lung: np.ndarray
    heart: np.ndarray


def phantom(seed: int, index: int, label: str, size: int = 256, setting: str | Setting = "realistic") -> Phantom:
    """Make one phantom.

    Parameters
    ----------
    seed, index : int
        Non-negative; together they name a phantom. The arguments alone decide the result, on any worker.
    label : str
        Diagnostic class, one of `LABELS`.
    size : int
        Side of the picture in pixels, at least 32; the same chest at any size, save for noise.
    setting : str or cxrseg.phantom.parameters.Setting
        ``"realistic"``, ``"randomised"``, or a table of distributions of one's own.

    Returns
    -------
    Phantom

    Raises
    ------
    ValueError
        If the label or the setting is unknown, or a number is too small.

    Examples
    --------
    >>> made = phantom(seed=1, index=0, label="Normal", size=128)
    >>> made.image.shape, bool(made.infection.any())
    ((128, 128), False)
    """
    setting = _setting(setting)
    return Phantom(*chest(_generator(seed, index, label, size, setting.name), label, size, setting.table))


def stream(
    seed: int, start: int, n: int, size: int = 128, setting: str | Setting = "randomised"
) -> tuple[np.ndarray, np.ndarray]:
    """Make the phantoms `start` to `start + n - 1` of an endless series, classes taking turns.

    Phantom i of a series is ``phantom(seed, i, LABELS[i % 3], size, setting)`` however the series is cut
    into batches and shared among workers.

    Returns
    -------
    images : (n, size, size) uint8 array
    lungs : (n, size, size) bool array
    """
    images, lungs = np.empty((n, size, size), np.uint8), np.empty((n, size, size), bool)
    for k in range(n):
        images[k], lungs[k], *_ = phantom(seed, start + k, LABELS[(start + k) % len(LABELS)], size, setting)
    return images, lungs


def phantom_parts(
    seed: int, index: int, label: str, size: int = 256, setting: str | Setting = "realistic"
) -> dict[str, np.ndarray]:
    """Return how a phantom comes about: its attenuation after each group of parts, by name and in order.

    Parameters and errors are those of `phantom`. Each array is (size, size) float32, in units of the soft
    tissue of a chest: about 0 beside the body, 1 through the trunk, less through lung, more through bone.
    """
    setting = _setting(setting)
    return parts(_generator(seed, index, label, size, setting.name), label, size, setting.table)


def _generator(seed: int, index: int, label: str, size: int, setting: str) -> np.random.Generator:
    """Return the source of all that is random in one phantom."""
    if label not in DISEASES:
        raise ValueError(f"label {label!r}: a phantom can be one of {', '.join(DISEASES)}")
    if size < 32 or seed < 0 or index < 0:
        raise ValueError(f"seed {seed}, index {index}, size {size}: expected 0 or more, and a size from 32")
    # The name of class and setting takes part, or the Normal and the COVID phantom of one index would be
    # the same patient, in two folds.
    return np.random.default_rng([seed, index, zlib.crc32(f"{label} {setting}".encode())])


def _setting(setting: str | Setting) -> Setting:
    if isinstance(setting, Setting):
        return setting
    if setting not in SETTINGS:
        raise ValueError(f"setting {setting!r}: a phantom can be one of {', '.join(SETTINGS)}")
    return SETTINGS[setting]
