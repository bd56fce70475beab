"""One radiograph with its reference masks, not yet read, and the names of the diagnostic classes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

CLASSES = ("COVID", "Non-COVID", "Normal")
"""Diagnostic classes, named as the paper names them."""

_SPELLINGS = {
    "covid": "COVID",
    "covid19": "COVID",
    "sarscov2": "COVID",
    "noncovid": "Non-COVID",
    "noncovid19": "Non-COVID",
    "normal": "Normal",
}


@dataclass(frozen=True)
class Case:
    """One radiograph with its reference masks, not yet read.

    Attributes
    ----------
    case_id : str
        Unique within its source; names the files that it came from.
    label : str
        Diagnostic class: one of `CLASSES`, or the folder's own name, or ``"all"`` where there are no classes.
    image : callable
        Picklable. Called without arguments, it returns a (height, width) uint8 array, 0 black to 255 white.
        Raises ``ValueError`` with one line that names the file where the file cannot be read.
    masks : mapping of str to callable
        One per structure (``"lungs"``, ``"infection"``, …). Each returns a (height, width) boolean array
        of the image's shape.
    group : str or None
        The patient, where known. Cases of one group never fall into different folds.
    spacing : callable or None
        Picklable. Called without arguments, it returns the height and the width of a pixel of the image in millimetres,
        or None where the file does not state them.
    """

    case_id: str
    label: str
    image: Callable[[], np.ndarray]
    masks: Mapping[str, Callable[[], np.ndarray]]
    group: str | None = None
    spacing: Callable[[], tuple[float, float] | None] | None = None


def plain(name: str) -> str:
    """Return a name in lower case with letters and digits only: ``"COVID-19"`` becomes ``"covid19"``."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def class_name(folder: str) -> str:
    """Return the diagnostic class that a folder name means.

    Common spellings of the paper's three classes are mapped to them. Any other name stays as it is.

    Examples
    --------
    >>> class_name("covid-19"), class_name("NonCOVID"), class_name("Pneumonia")
    ('COVID', 'Non-COVID', 'Pneumonia')
    """
    return _SPELLINGS.get(plain(folder), folder)
