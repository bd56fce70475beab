"""Where radiographs come from.

Each source is a module with one function ``cases(config) -> list[Case]`` that lists what there is,
cheaply and in a stable order, without decoding a picture. Decoding happens when a case's `image` or
`masks` are called, in whichever process prepares that case.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

import numpy as np

CLASSES = ("COVID", "Non-COVID", "Normal")
"""Diagnostic classes, named as the paper names them."""


@dataclass(frozen=True)
class Case:
    """One radiograph with its reference masks, not yet read.

    Attributes
    ----------
    case_id : str
        Unique within its source; names the files it came from.
    label : str
        Diagnostic class: one of `CLASSES`, or the folder's own name, or ``"all"`` where there are none.
    image : callable
        Picklable; called without arguments returns a (height, width) uint8 array, 0 black to 255 white.
        Raises ``ValueError`` with one line that names the file where it cannot be read.
    masks : mapping of str to callable
        One per structure (``"lungs"``, ``"infection"``, …); each returns a (height, width) boolean array
        of the image's shape.
    group : str or None
        The patient, where known: cases of one group never fall into different folds.
    """

    case_id: str
    label: str
    image: Callable[[], np.ndarray]
    masks: Mapping[str, Callable[[], np.ndarray]]
    group: str | None = None


def find_cases(config) -> list[Case]:
    """List the cases of the source that a `cxrseg.config.DataConfig` names.

    Raises
    ------
    ValueError
        The source cannot be read as a whole: nothing there, not an archive, another layout.
    """
    return import_module(f"cxrseg.sources.{config.source}").cases(config)
