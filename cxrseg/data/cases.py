"""One radiograph with its reference masks, not yet read, and the names of the diagnostic classes."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

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
        One per structure (``"lungs"``, ``"infection"``, …). Each returns a (height, width) boolean array,
        which `cxrseg.data.prepare.read` brings to the image's size.
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


def check_name(name: str) -> None:
    """Refuse a name that could not stand in ``cases.csv`` as it is.

    A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, and may run it. The usual
    remedy, an apostrophe before it, would make another name for every program that reads the table.

    Raises
    ------
    ValueError
        The name begins so, or has a control character.
    """
    if name.startswith(("=", "+", "-", "@")):
        raise ValueError(f"a spreadsheet takes the name {name!r} for a formula: rename it")
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in name):
        raise ValueError(f"the name {name!r} has a control character: rename it")


def plain(name: str) -> str:
    """Return a name in lower case with letters and digits only: ``"COVID-19"`` becomes ``"covid19"``."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def is_class(folder: str) -> bool:
    """Return whether a folder name is a common spelling of one of the paper's classes."""
    return plain(folder) in _SPELLINGS


def class_name(folder: str) -> str:
    """Return the diagnostic class that a folder name means.

    Common spellings of the paper's three classes are mapped to them. Any other name stays as it is.

    Examples
    --------
    >>> class_name("covid-19"), class_name("NonCOVID"), class_name("Pneumonia")
    ('COVID', 'Non-COVID', 'Pneumonia')
    """
    return _SPELLINGS.get(plain(folder), folder)


class About(NamedTuple):
    """What `cxrseg sources` says of a collection.

    Attributes
    ----------
    cases : str
        How many there are.
    licence : str
    get : str
        How to get it.
    outlines : str
        What a reader must know of its masks before comparing scores; empty if there is nothing.
    """

    cases: str
    licence: str
    get: str
    outlines: str = ""
