"""Warnings about a segmentation, without a reference mask: an implausible shape, or a low predicted quality."""

import cc3d
import numpy as np

LOW = 0.9
"""Predicted Dice below which a warning asks to check the outline."""

SHARE = (0.05, 0.6)
"""Smallest and largest share of a frontal chest X-ray that its lungs cover."""

RATIO = 3
"""Largest area of one lung over that of the other."""

PIECE = 0.05
"""Share of the whole mask from which a connected piece of it (8 neighbours) counts."""


def objections(mask: np.ndarray, left: int, right: int) -> list[str]:
    """Return the reasons why a mask cannot be the lungs of a frontal chest X-ray.

    The limits leave room around every reference mask that we measured (page "Try it" of the book).

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
    sizes = np.bincount(cc3d.connected_components(mask, connectivity=8).ravel())[1:]
    pieces = int((sizes >= PIECE * sizes.sum()).sum())
    if pieces != 2:
        reasons.append(f"{pieces} large {'piece' if pieces == 1 else 'pieces'}, expected 2")
    small, large = sorted((left, right))
    if large > RATIO * small:
        reasons.append(f"one lung is {large / small:.1f} times the other" if small else "lung on one side only")
    return reasons


def warning(score: float, reasons: list[str]) -> str:
    """Return one line that names what is doubtful; empty if nothing is.

    Parameters
    ----------
    score : float
        The Dice that `cxrseg.evaluate.quality` predicts.
    reasons : list of str
        Of `objections`.
    """
    parts = []
    if reasons:
        parts.append(f"does not look like a frontal chest X-ray: {'; '.join(reasons)}")
    if score < LOW:
        parts.append(f"low predicted quality ({score:.2f}): check the outline")
    return "; ".join(parts)
