"""Problems of the lab "The leak"."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import ndimage


def sibling_in_training(probability: float) -> str:
    """Ask how probable it is that one of three other films is in training, each in the test with a chance of 1/4."""
    if math.isclose(probability, 63 / 64, abs_tol=2e-3):
        return ""
    if math.isclose(probability, 1 / 64, abs_tol=2e-3):
        return "that is how probable it is that all three are in the test: you are asked for the opposite"
    if math.isclose(probability, 27 / 64, abs_tol=2e-3):
        return "that is how probable it is that all three are in training: one of them is enough"
    if math.isclose(probability, 0.75, abs_tol=2e-3):
        return "that would be right with one other film, but there are three"
    if not 0 <= probability <= 1:
        return "a probability lies between 0 and 1"
    return "first ask how probable it is that all three of them are in the test, too"


def keeps_patients_together(function: Callable[[np.ndarray, int], np.ndarray]) -> str:
    """Ask for a split that sends a quarter of the patients to the test, with all their films."""
    alike, uneven = np.repeat(np.arange(24), 4), np.repeat(np.arange(100, 120), [1, 2, 3, 4, 5] * 4)
    seen = set()
    for patient in (alike, uneven, np.random.default_rng(1).permutation(uneven)):
        for seed in range(6):
            test = function(patient.copy(), seed)
            if test is None:
                return "the function returns nothing yet"
            test = np.asarray(test)
            if test.shape != patient.shape or test.dtype != bool:
                return "return an array of booleans, one for each film, true for the test"
            if divided := set(patient[test]) & set(patient[~test]):
                return f"{len(divided)} patients have films on both sides"
            share, wanted = len(set(patient[test])), len(set(patient)) // 4
            if share != wanted:
                return f"{share} of {len(set(patient))} patients are in the test: a quarter would be {wanted}"
            seen.add(tuple(np.unique(patient[test])))
    if len(seen) <= 3:
        return "every seed gives the same split: draw the patients at random by the seed"
    return ""


def flattery(of_1: float, of_15: float, film_curve: Sequence[float], patient_curve: Sequence[float]) -> str:
    """Ask by how much a split by film is above one by patient, at the first and at the last of the k."""
    right = [film_curve[place] - patient_curve[place] for place in (0, -1)]
    if all(math.isclose(found, wanted, abs_tol=1e-3) for found, wanted in zip((of_1, of_15), right, strict=True)):
        return ""
    if all(math.isclose(found, -wanted, abs_tol=1e-3) for found, wanted in zip((of_1, of_15), right, strict=True)):
        return "the sign is wrong: subtract the split by patient from the split by film"
    if math.isclose(of_1, right[1], abs_tol=1e-3) and math.isclose(of_15, right[0], abs_tol=1e-3):
        return "these are the two, the other way round"
    which = "k = 1" if not math.isclose(of_1, right[0], abs_tol=1e-3) else "k = 15"
    return f"for {which}, subtract the value of patient_curve from that of film_curve at the same place"


def is_detail(function: Callable[[np.ndarray], np.ndarray]) -> str:
    """Ask for what is left of an image without its blurred copy, of length 1."""
    # Whole numbers below 256, as films are: in 8 bits, a difference below 0 starts again at 255.
    image = np.random.default_rng(8).integers(0, 60, (24, 24), np.uint8) + np.linspace(0, 180, 24).astype(np.uint8)
    found = function(image.copy())
    if found is None:
        return "the function returns nothing yet"
    found = np.asarray(found)
    if found.shape != image.shape:
        return f"an image of 24 by 24 pixels became an array of shape {found.shape}"
    # What a Gaussian takes away, by its own weights: a blur of width 2 along either axis, the edge mirrored.
    weights = np.exp(-0.5 * (np.arange(-8, 9) / 2) ** 2)
    blurred = image.astype(float)
    for axis in (0, 1):
        blurred = ndimage.convolve1d(blurred, weights / weights.sum(), axis=axis, mode="reflect")
    left = image - blurred
    right = left / np.linalg.norm(left)
    # A blur of whole numbers is rounded.
    if np.allclose(found, right, atol=5e-3):
        return ""
    if np.allclose(function(image.astype(float)), right, atol=5e-3):
        return "a film has whole numbers from 0 to 255, which cannot hold a difference: begin with image.astype(float)"
    if np.allclose(found, blurred / np.linalg.norm(blurred), atol=1e-3) or np.allclose(found, blurred, atol=1e-3):
        return "that is the blurred picture: detail is what it lacks"
    if np.allclose(found, left, atol=1e-3):
        return "the blur is gone, but the length is not 1: a film of twice the contrast would count for more"
    if np.allclose(found, -right, atol=1e-3):
        return "take the blurred picture from the picture, not the other way round"
    if np.allclose(found, left / (left**2).sum(), atol=1e-3):
        return "the length is the square root of the sum of squares"
    return "subtract the picture blurred with a width of 2, then divide by the square root of the sum of squares"


def reports_honestly(function: Callable[[np.ndarray, np.ndarray], float]) -> str:
    """Ask for the test score of the draw that is best on the validation part."""
    for seed in range(5):
        validation, test = np.random.default_rng(seed).random((2, 9))
        found = function(validation.copy(), test.copy())
        if found is None:
            return "the function returns nothing yet"
        chosen = max(range(9), key=lambda draw: validation[draw])
        if math.isclose(found, test[chosen]):
            continue
        if math.isclose(found, test.max()):
            return "that is the best of the test part: it has chosen as well as reported"
        if math.isclose(found, validation.max()):
            return "that is the winner's score on the part that chose it, which flatters"
        if float(found) == chosen:
            return "that is the number of the draw: look up its score on the test part"
        return "find the draw that is best on the validation part, and return its score on the test part"
    return ""
