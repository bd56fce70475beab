"""Problems of the lab "The leak": a right answer gets nothing, each wrong one a sentence."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cxrseg.labs import leak


def by_patient(patient, seed):
    names = np.unique(patient)
    return np.isin(patient, np.random.default_rng(seed).permutation(names)[: len(names) // 4])


def by_film(patient, seed):
    return np.isin(np.arange(len(patient)), np.random.default_rng(seed).permutation(len(patient))[: len(patient) // 4])


def always_the_first(patient, seed):
    names = np.unique(patient)
    return np.isin(patient, names[: len(names) // 4])


def left(image):
    image = image.astype(float)
    return image - gaussian_filter(image, 2)


def in_8_bits(image):
    difference = image - gaussian_filter(image, 2)
    return difference / np.sqrt((difference**2).sum())


FILM, PATIENT = [0.86, 0.85, 0.83], [0.80, 0.81, 0.82]


@pytest.mark.parametrize(
    ("problem", "right", "wrong"),
    [
        # All three others are in the test with a chance of 1 in 64.
        (leak.sibling_in_training, [(63 / 64,), (0.984,)], [(1 / 64,), (27 / 64,), (0.75,), (1.5,), (0.9,)]),
        (
            leak.keeps_patients_together,
            [(by_patient,)],
            [
                (by_film,),
                (always_the_first,),
                (lambda patient, seed: np.ones(len(patient), bool),),
                (lambda patient, seed: ~by_patient(patient, seed),),
                (lambda patient, seed: np.flatnonzero(by_patient(patient, seed)),),
                (lambda patient, seed: None,),
            ],
        ),
        (
            leak.flattery,
            [(0.06, 0.01, FILM, PATIENT)],
            [(0.01, 0.06, FILM, PATIENT), (-0.06, -0.01, FILM, PATIENT), (0.06, 0.04, FILM, PATIENT)],
        ),
        (
            leak.is_detail,
            [(lambda image: left(image) / np.sqrt((left(image) ** 2).sum()),)],
            [
                (left,),
                (lambda image: gaussian_filter(image, 2),),
                (lambda image: -left(image) / np.linalg.norm(left(image)),),
                (lambda image: left(image) / (left(image) ** 2).sum(),),
                (lambda image: image / np.linalg.norm(image),),
                (lambda image: left(image).sum(),),
                (in_8_bits,),
                (lambda image: None,),
            ],
        ),
        (
            leak.reports_honestly,
            [(lambda validation, test: test[np.argmax(validation)],)],
            [
                (lambda validation, test: test.max(),),
                (lambda validation, test: validation.max(),),
                (lambda validation, test: np.argmax(validation),),
                (lambda validation, test: test.mean(),),
                (lambda validation, test: None,),
            ],
        ),
    ],
)
def test_problem(problem, right, wrong):
    assert [problem(*answers) for answers in right] == [""] * len(right)
    assert all(problem(*answers) for answers in wrong)
