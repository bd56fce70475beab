"""Warn about a segmentation without a reference mask: a turned picture, implausible shape, low predicted quality."""

import cc3d
import numpy as np

from cxrseg.segment.orientation import Orientation

LOW = 0.9
"""Predicted Dice below which a warning asks the user to check the outline."""

SHARE = (0.05, 0.6)
"""Smallest and largest plausible share of a frontal chest X-ray covered by the lungs."""

RATIO = 3
"""Largest plausible ratio of the areas of the two lungs."""

PIECE = 0.05
"""Smallest share of the mask at which an 8-connected component is counted."""

TURNED = {
    90: "turned by 90 degrees clockwise",
    180: "turned by 180 degrees or flipped upside down",
    270: "turned by 90 degrees counter-clockwise",
}
"""What a radiograph looks like, by `cxrseg.segment.orientation.Orientation.turned`."""


def objections(mask: np.ndarray, left: int, right: int) -> list[str]:
    """Return the reasons why a mask is implausible for the lungs of a frontal chest X-ray.

    The limits leave a margin around all measured reference masks (page "Try it" of the book).

    Parameters
    ----------
    mask : (height, width) bool array
        The whole mask at any resolution, without padding.
    left, right : int
        Areas of the patient's left and right lung, in pixels of the same size.

    Returns
    -------
    list of str
        One reason per item; empty if nothing is unusual.
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
        reasons.append(f"the lungs are in {pieces} large {'piece' if pieces == 1 else 'pieces'}, expected 2")
    small, large = sorted((left, right))
    if large > RATIO * small:
        reasons.append(
            f"one lung is {large / small:.1f} times as large as the other" if small else "lung on one side only"
        )
    return reasons


def strange(reasons: list[str], seems: Orientation) -> str:
    """Return in one line why nothing is measured in a picture, or an empty string.

    Parameters
    ----------
    reasons, seems
        As for `warning`.
    """
    if seems.turned or seems.inverted:
        return "the picture looks turned or inverted"
    return "the picture does not look like a frontal chest X-ray" if reasons else ""


def warning(score: float, reasons: list[str], seems: Orientation) -> str:
    """Return a one-line warning, or an empty string if nothing is doubtful.

    Parameters
    ----------
    score : float
        The Dice predicted by `cxrseg.evaluate.quality`.
    reasons : list of str
        The result of `objections`.
    seems : Orientation
        The result of `cxrseg.segment.orientation.orientation`.
    """
    parts = []
    looks = [TURNED[seems.turned]] if seems.turned else []
    if seems.inverted:
        looks.append("inverted")
    if looks:
        parts.append(f"looks {' and '.join(looks)}: correct it, and segment again")
    if reasons:
        parts.append(f"does not look like a frontal chest X-ray: {'; '.join(reasons)}")
    if score < LOW:
        parts.append(f"low predicted quality ({score:.3f}): check the outline")
    return "; ".join(parts)
