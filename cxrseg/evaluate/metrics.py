"""Agreement of a predicted mask with the reference mask: metrics for one image, and one for a batch.

Masks are boolean (H, W) arrays. Distances are in pixels of their grid, or in the unit that the name says.

Empty masks. No metric is ever NaN. If both masks are empty, they agree: every ratio is 1 and every distance 0.
If exactly one is empty, they disagree: Dice, IoU, sensitivity, precision and NSD are 0, and every distance is
the diagonal of the image. Specificity and accuracy are computed as usual. More generally, an overlap ratio of
0/0 is 1 if the masks are equal and 0 otherwise.

Boundaries. HD95 and ASSD are measured between the boundary pixels of the masks. A boundary pixel has at least
one of its four neighbours outside the mask, and positions beyond the image count as outside. The values equal
``medpy.metric.binary.hd95`` and ``assd`` of MedPy 0.5. NSD is measured between the contours that run between
pixels. Each contour is divided into one element per pixel corner, weighted by its length. The values equal
``compute_surface_dice_at_tolerance`` of DeepMind's ``surface-distance``. Tools that define the boundary or
pool the distances differently give other values.

References
----------
Taha & Hanbury, Metrics for evaluating 3D medical image segmentation, BMC Med Imaging 15:29, 2015
(overlap, HD95, ASSD). Nikolov et al., Clinically applicable segmentation of head and neck anatomy for
radiotherapy, J Med Internet Res 23(7):e26151, 2021 (NSD, there "surface DSC"). Maier-Hein, Reinke et al.,
Metrics reloaded, Nature Methods 21:195-212, 2024 (choice of metrics, and why to state how empty masks are scored).
"""

import numpy as np
from scipy.spatial import KDTree

TOLERANCES = (1, 2, 3)
"""Boundary errors tolerated by NSD in `all_metrics`, in pixels."""


def all_metrics(truth: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    """Score one predicted mask with every metric of this module.

    Parameters
    ----------
    truth, prediction : (H, W) bool array
        Reference and predicted mask.

    Returns
    -------
    dict of str to float
        ``dice``, ``iou``, ``sensitivity``, ``precision``, ``specificity`` and ``accuracy`` (see `overlap`).
        ``hd95_px``, the 95th percentile Hausdorff distance: the linearly interpolated 95th percentile of the distances
        from each boundary pixel to the nearest one of the other mask, with both directions pooled. ``assd_px``, the
        average symmetric surface distance: the mean of these distances. ``nsd_1px``, ``nsd_2px`` and ``nsd_3px``, the
        normalised surface Dice: the share, by length, of both contours within 1, 2 or 3 pixels of the other contour.

    Raises
    ------
    ValueError
        The masks are empty arrays, not boolean, not two-dimensional or not of the same shape.

    Examples
    --------
    >>> truth = np.zeros((8, 8), bool)
    >>> truth[2:6, 2:6] = True
    >>> row = all_metrics(truth, np.roll(truth, 1, axis=1))
    >>> row["dice"], row["hd95_px"], row["nsd_1px"]
    (0.75, 1.0, 1.0)
    """
    row = overlap(truth, prediction)
    row["hd95_px"], row["assd_px"] = _boundary_summary(truth, prediction)
    shares = _within(truth, prediction, TOLERANCES)
    row |= {f"nsd_{tolerance}px": share for tolerance, share in zip(TOLERANCES, shares, strict=True)}
    return row


def distances_mm(truth: np.ndarray, prediction: np.ndarray, spacing: tuple[float, float]) -> dict[str, float]:
    """Measure the distances between the outlines in millimetres.

    Parameters
    ----------
    truth, prediction : (H, W) bool array
        Reference and predicted mask.
    spacing : (float, float)
        Height and width of a pixel, millimetres.

    Returns
    -------
    dict of str to float
        ``hd95_mm`` and ``assd_mm``, defined as in `all_metrics`, with the nearest point sought in millimetres.

    Raises
    ------
    ValueError
        As for `all_metrics`.

    Examples
    --------
    >>> truth = np.zeros((8, 8), bool)
    >>> truth[2:6, 2:6] = True
    >>> distances_mm(truth, np.roll(truth, 1, axis=1), (0.2, 0.5))["hd95_mm"]
    0.5
    """
    _check(truth, prediction)
    return dict(zip(("hd95_mm", "assd_mm"), _boundary_summary(truth, prediction, spacing), strict=True))


def height(mask: np.ndarray) -> int:
    """Return the height of the box around a mask in pixels, or that of the image where the mask is empty.

    Parameters
    ----------
    mask : (H, W) bool array
    """
    rows = np.flatnonzero(mask.any(axis=1))
    return int(rows[-1] - rows[0]) + 1 if len(rows) else len(mask)


def overlap(truth: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    """Compare two masks pixel by pixel.

    Parameters
    ----------
    truth, prediction : (H, W) bool array
        Reference and predicted mask.

    Returns
    -------
    dict of str to float
        Ratios from 0 to 1 of the true and false positives and negatives (TP, FP, TN, FN):
        ``dice`` 2 TP / (2 TP + FP + FN), ``iou`` TP / (TP + FP + FN), ``sensitivity`` TP / (TP + FN),
        ``precision`` TP / (TP + FP), ``specificity`` TN / (TN + FP), ``accuracy`` (TP + TN) / all.

    Raises
    ------
    ValueError
        The masks are empty arrays, not boolean, not two-dimensional or not of the same shape.
    """
    _check(truth, prediction)
    tp = int(np.count_nonzero(truth & prediction))
    fn = int(np.count_nonzero(truth)) - tp
    fp = int(np.count_nonzero(prediction)) - tp
    tn = truth.size - tp - fn - fp
    nothing_to_count = float(fp + fn == 0)

    def ratio(part: int, whole: int) -> float:
        return part / whole if whole else nothing_to_count

    return {
        "dice": ratio(2 * tp, 2 * tp + fp + fn),
        "iou": ratio(tp, tp + fp + fn),
        "sensitivity": ratio(tp, tp + fn),
        "precision": ratio(tp, tp + fp),
        "specificity": ratio(tn, tn + fp),
        "accuracy": ratio(tp + tn, truth.size),
    }


def soft_dice_batch(truth: np.ndarray, probability: np.ndarray) -> float:
    """Return the soft Dice over all pixels of a batch, as a widely copied Keras ``dice_coef`` computes it.

    It is (2 sum(t p) + 1) / (sum(t) + sum(p) + 1), summed over all pixels of all images without a threshold.
    Large lungs weigh more than small ones, and one missed image hardly changes the value. It therefore differs
    from the mean Dice per image and is reported only for comparison with studies that used it.

    Parameters
    ----------
    truth : array of any shape, 0 or 1
        Reference masks of the batch.
    probability : array of the same shape, 0 to 1
        Predicted probabilities.

    Raises
    ------
    ValueError
        The shapes differ.
    """
    truth, probability = np.asarray(truth), np.asarray(probability)
    if truth.shape != probability.shape:
        raise ValueError(f"truth and probability must have one shape, not {truth.shape} and {probability.shape}")
    # The sums are float64, because a float32 running sum over a whole test set loses the last digits.
    together = np.sum(truth * probability, dtype=np.float64)
    return float((2 * together + 1) / (np.sum(truth, dtype=np.float64) + np.sum(probability, dtype=np.float64) + 1))


def _check(truth: np.ndarray, prediction: np.ndarray) -> None:
    for name, mask in (("truth", truth), ("prediction", prediction)):
        if mask.dtype != bool or mask.ndim != 2 or mask.size == 0:
            raise ValueError(f"{name} must be a boolean (H, W) mask, not {mask.dtype} of shape {mask.shape}")
    if truth.shape != prediction.shape:
        raise ValueError(f"truth and prediction must have one shape, not {truth.shape} and {prediction.shape}")


def _boundary_summary(truth: np.ndarray, prediction: np.ndarray, spacing=(1, 1)) -> tuple[float, float]:
    """Return HD95 and ASSD in the unit of the spacing."""
    if not (truth.any() and prediction.any()):
        distance = float(np.hypot(*np.multiply(truth.shape, spacing)))
        return (distance, distance) if truth.any() or prediction.any() else (0.0, 0.0)
    pooled = np.concatenate(_both_ways(_boundary(truth) * spacing, _boundary(prediction) * spacing))
    return float(np.percentile(pooled, 95)), float(pooled.mean())


def _within(truth: np.ndarray, prediction: np.ndarray, tolerances: tuple) -> list[float]:
    """Return the NSD at each tolerance."""
    if not (truth.any() and prediction.any()):
        return [float(not truth.any() and not prediction.any())] * len(tolerances)
    corners_truth, lengths_truth = _contour(truth)
    corners_prediction, lengths_prediction = _contour(prediction)
    distances = np.concatenate(_both_ways(corners_truth, corners_prediction))
    lengths = np.concatenate([lengths_truth, lengths_prediction])
    return [float(lengths[distances <= tolerance].sum() / lengths.sum()) for tolerance in tolerances]


def _both_ways(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances from the points of `a` to the nearest of `b`, and from `b` to `a`."""
    # A tree of the few boundary points gives the same values as a distance transform of the whole grid and is
    # nine times faster for two lungs at 256x256. Unbalanced trees build faster, and each is searched only once.
    tree_a, tree_b = (KDTree(points, balanced_tree=False) for points in (a, b))
    return tree_b.query(a)[0], tree_a.query(b)[0]


def _boundary(mask: np.ndarray) -> np.ndarray:
    """Return the (n, 2) positions of the mask's pixels that have at least one of four neighbours outside it."""
    around = np.pad(mask, 1)
    enclosed = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    return np.argwhere(mask & ~enclosed)


def _contour(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the (n, 2) positions of the contour's elements, and the length of each.

    The contour passes each grid corner whose four pixels differ, and joins the midpoints of pixel edges. It runs
    straight if two adjacent pixels differ from the other two. It cuts the corner diagonally if one pixel differs
    from the other three, and cuts it twice if only diagonally opposite pixels agree.
    """
    cut = np.sqrt(0.5)
    # The index is 8 top left + 4 top right + 2 bottom left + 1 bottom right.
    length = np.array([0, cut, cut, 1, cut, 1, 2 * cut, cut, cut, 2 * cut, 1, cut, 1, cut, cut, 0])
    around = np.pad(mask, 1).view(np.uint8)
    kind = 8 * around[:-1, :-1] + 4 * around[:-1, 1:] + 2 * around[1:, :-1] + around[1:, 1:]
    passes = (kind != 0) & (kind != 15)
    return np.argwhere(passes), length[kind[passes]]
