"""What speaks against a segmentation, judged without a reference: its shape, and a low predicted quality."""

import numpy as np
from scipy import ndimage

LOW = 0.9
"""Predicted Dice below which a person is told to look twice."""

SHARE = (0.05, 0.6)
"""Smallest and largest share of a frontal chest X-ray that its lungs cover."""

RATIO = (1 / 3, 3)
"""Smallest and largest area of the patient's left lung over that of the right one."""

PIECE = 0.05
"""Share of the whole mask from which a connected piece of it (8 neighbours) counts."""


def between_lungs(probability: np.ndarray) -> float:
    """Find the column between the two lungs: the emptiest of the middle third of the picture.

    It does not depend on a threshold, and holds where a lung is missing or the two touch.

    Parameters
    ----------
    probability : (height, width) float array, 0 to 1

    Returns
    -------
    float
        Its place across the picture, 0 left to 1 right.
    """
    width = probability.shape[1]
    cost = probability.sum(axis=0, dtype=np.float64)
    cost += 1e-3 * np.abs(np.arange(width) - (width - 1) / 2)  # of empty columns, the most central
    first, last = width // 3, width - width // 3
    return (first + int(np.argmin(cost[first:last])) + 0.5) / width


def objections(mask: np.ndarray, left: int, right: int) -> list[str]:
    """Say what speaks against a mask being the lungs of a frontal chest X-ray.

    The limits leave room around every reference mask that we have measured: see the book, "Try it".

    Parameters
    ----------
    mask : (height, width) bool array
        The whole mask, any resolution, without padding.
    left, right : int
        Area of the patient's left and right lung, pixels of any one size.

    Returns
    -------
    list of str
        One reason each; empty where nothing is unusual.
    """
    if not mask.any():
        return ["no lung found"]
    reasons = []
    share = mask.mean()
    if not SHARE[0] <= share <= SHARE[1]:
        reasons.append(f"the lungs cover {share:.0%} of the picture, expected {SHARE[0]:.0%} to {SHARE[1]:.0%}")
    sizes = np.bincount(ndimage.label(mask, np.ones((3, 3)))[0].ravel())[1:]
    pieces = int((sizes >= PIECE * sizes.sum()).sum())
    if pieces != 2:
        reasons.append(f"{pieces} large {'piece' if pieces == 1 else 'pieces'}, expected 2")
    if not RATIO[0] * right <= left <= RATIO[1] * right:
        small, large = sorted((left, right))
        reasons.append(f"one lung is {large / small:.1f} times the other" if small else "lung on one side only")
    return reasons


def warning(score: float, reasons: list[str]) -> str:
    """Return one plain line about what is doubtful, empty where nothing is.

    Parameters
    ----------
    score : float
        The Dice that `cxrseg.quality` predicts.
    reasons : list of str
        Of `objections`.
    """
    parts = []
    if reasons:
        parts.append(f"does not look like a frontal chest X-ray: {'; '.join(reasons)}")
    if score < LOW:
        parts.append(f"low predicted quality ({score:.2f}): check the outline")
    return "; ".join(parts)
