"""Find near-duplicate radiographs in a collection, so that no copy of a test image is trained on.

Chest X-rays resemble one another, so a comparison of thumbnails pairs different patients. Public collections
hold the same film cropped, shifted or with other contrast, so a checksum misses duplicates. We therefore correlate
fine detail after local contrast normalisation, at the best of many small shifts.
"""

import numpy as np
from PIL import Image
from scipy.fft import ifft, irfft, rfft2
from scipy.ndimage import gaussian_filter

COARSE, FINE, TRIM = 32, 96, 1 / 12  # pixels, pixels, share of each side that frames and labels spoil
CANDIDATES, COARSE_LIMIT = 8, 0.5
SHIFT = 8
SAME = 0.5
"""Correlation of fine detail from which two pictures count as one film. On 1,500 radiographs of COVID-QU-Ex
every pair above 0.5 was one film to the eye, and the pairs just below it were strangers or repeat exposures."""


def describe(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Describe one image by its contrast-normalised detail at two scales.

    Parameters
    ----------
    image : (height, width) uint8 array

    Returns
    -------
    coarse : (26, 26) float16 array
    fine : (80, 80) float16 array
        Both have zero mean and unit length; both are zero for an image without detail.
    """
    return _detail(image, COARSE), _detail(image, FINE)


def near_duplicates(coarse: np.ndarray, fine: np.ndarray, same: float = SAME) -> list[tuple[int, int, float]]:
    """Find the pairs of images that show the same film.

    Parameters
    ----------
    coarse, fine : (n, …) float16 arrays
        Stacked results of `describe`.
    same : float
        Correlation from which a pair counts, between -1 and 1.

    Returns
    -------
    list of (int, int, float)
        Indices ``i < j`` and the correlation of their fine detail at the best shift of up to
        `SHIFT` of 96 pixels either way, in order of the indices.
    """
    found = []
    pairs = _candidates(coarse.reshape(len(coarse), -1).astype(np.float32))
    side = fine.shape[1] + SHIFT  # zero-padding, so that a shifted edge does not wrap round
    shifts = np.r_[0 : SHIFT + 1, side - SHIFT : side]
    for start in range(0, len(pairs), 256):
        i, j = pairs[start : start + 256].T
        first, again = np.unique(i, return_inverse=True)
        a, b = (rfft2(fine[k].astype(np.float32), (side, side), workers=-1) for k in (first, j))
        # The inverse transform is needed only for the rows within the allowed shift.
        rows = ifft(a[again] * np.conj(b), axis=1, workers=-1)[:, shifts]
        best = irfft(rows, side, axis=2, workers=-1)[:, :, shifts].max(axis=(1, 2))
        found += [(int(p), int(q), float(r)) for p, q, r in zip(i, j, best, strict=True) if r >= same]
    return found


def _detail(image: np.ndarray, side: int) -> np.ndarray:
    small = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BOX), np.float32)
    detail = small - gaussian_filter(small, 2)
    detail /= np.sqrt(gaussian_filter(detail**2, 4)) + 2  # 2 of 255 grey levels: below that it is noise
    trim = round(side * TRIM)
    detail = detail[trim:-trim, trim:-trim]
    detail = detail - detail.mean()
    length = np.linalg.norm(detail)
    return (detail / length if length > 0 else detail).astype(np.float16)


def _candidates(coarse: np.ndarray) -> np.ndarray:
    """Return the (pairs, 2) index pairs ``i < j`` in which one is among the other's nearest."""
    n, nearest = len(coarse), min(CANDIDATES, len(coarse) - 1)
    if nearest < 1:
        return np.empty((0, 2), int)
    pairs = []
    for start in range(0, n, 1024):  # blocks, so that memory grows with n and not with its square
        block = coarse[start : start + 1024] @ coarse.T
        rows = np.arange(len(block))
        block[rows, start + rows] = -1  # an image is no duplicate of itself
        close = np.argpartition(-block, nearest - 1, axis=1)[:, :nearest]
        keep = np.take_along_axis(block, close, axis=1) >= COARSE_LIMIT
        pairs.append(np.stack([np.broadcast_to(start + rows[:, None], close.shape)[keep], close[keep]], axis=1))
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)
