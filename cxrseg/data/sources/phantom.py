"""Digital phantoms: any number of cases, without a download and without patients."""

from functools import lru_cache, partial

import numpy as np

from cxrseg import phantom
from cxrseg.config import DataConfig
from cxrseg.data.cases import About, Case
from cxrseg.data.pairing import check_known

ABOUT = About("any", "none needed", "made when asked for", "exact")
STRUCTURES = ("lungs", "infection", "right_lung", "left_lung", "heart")
DEFAULT_CASES = {"COVID": 100, "Non-COVID": 100, "Normal": 100}
"""How many of each class where ``data.cases_per_class`` is empty, enough to train on in a few minutes."""


def cases(config: DataConfig) -> list[Case]:
    """List phantoms; none is made before it is asked for.

    Parameters
    ----------
    config : DataConfig
        `seed`, `setting`, `image_size`, `structures` and `cases_per_class` are used; fewer cases of a class are the
        first ones of more.

    Returns
    -------
    list of Case
        By class, then by number; ``case_id`` is for example ``"phantom-normal-0007"``. Every phantom is a
        patient of its own.

    Raises
    ------
    ValueError
        An unknown structure or class.
    """
    wanted = config.cases_per_class or DEFAULT_CASES
    check_known("data.structures (source phantom)", config.structures, STRUCTURES)
    check_known("data.cases_per_class", wanted, phantom.LABELS)
    return [
        Case(
            case_id=f"phantom-{label.lower()}-{index:04d}",
            label=label,
            image=partial(_image, config.seed, index, label, config.image_size, config.setting),
            masks={
                structure: partial(_mask, structure, config.seed, index, label, config.image_size, config.setting)
                for structure in config.structures
            },
        )
        for label, count in wanted.items()
        for index in range(count)
    ]


# The image and the masks of a case are read one after the other, so the phantom is made once and kept.
_made = lru_cache(maxsize=4)(phantom.phantom)


def _image(seed: int, index: int, label: str, size: int, setting: str) -> np.ndarray:
    return _made(seed, index, label, size, setting).image


def _mask(structure: str, seed: int, index: int, label: str, size: int, setting: str) -> np.ndarray:
    return getattr(_made(seed, index, label, size, setting), structure)
