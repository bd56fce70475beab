"""Pair images with their masks by file name, and sample the cases that a study asks for.

An error that concerns one case (no mask, or two that fit) does not stop the rest. That case gets a mask that
cannot be read, so that `cxrseg.data.prepare` refuses it by name and continues.
"""

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np

from cxrseg.config import DataConfig
from cxrseg.data.cases import Case
from cxrseg.data.read import archive
from cxrseg.models import LUNGS


class Image(NamedTuple):
    """An image file, and the key that it shares with its masks and with no other image."""

    key: tuple
    label: str
    case_id: str
    name: str
    group: str | None = None


def pair(
    path: Path,
    found: Iterable[Image],
    masks: Mapping[str, Mapping],
    expected: str,
    structures: Iterable[str] = (),
    labels: Mapping[str, list[int]] | None = None,
    read: Callable[[Path, str], np.ndarray] = archive.radiograph,
    spacing: Callable[[Path, str], tuple[float, float] | None] = archive.spacing,
) -> list[Case]:
    """Pair images with masks by key.

    Parameters
    ----------
    path : Path
        Archive or folder that holds the files.
    found : iterable of Image
        The images, at least one.
    masks : mapping
        For each structure, the names of the mask files by key.
    expected : str
        Where a mask should be, for errors.
    structures : iterable of str, optional
        What to take; by default the structures of `masks`. ``lungs`` is the union of `cxrseg.models.LUNGS` in cases
        that have no mask named lungs.
    labels : mapping of str to list of int, optional
        For each structure, its values in a label map; see `cxrseg.data.read.masks.read_mask`.
    read : callable
        Reads an image, given the archive or folder and the name.
    spacing : callable
        Returns the spacing of an image's rows and columns in millimetres, or None where it is unknown.

    Returns
    -------
    list of Case
        In the order of the images' names.

    Raises
    ------
    ValueError
        Not one image has a mask of some structure.
    """
    found = sorted(found, key=lambda image: image.name)
    structures = list(structures) or list(masks)
    shared = Counter(image.key for image in found)

    def files(image: Image, structure: str) -> dict[str, list[str]]:
        """Return the mask files of an image for a structure, by the structures whose union it is."""
        whole = masks.get(structure, {}).get(image.key, [])
        if structure == "lungs" and not whole:
            sides = {side: masks.get(side, {}).get(image.key, []) for side in LUNGS}
            if any(sides.values()):
                return sides
        return {structure: whole}

    for structure in structures:
        bare = [image.name for image in found if not any(files(image, structure).values())]
        if len(bare) == len(found):
            listed = ", ".join(bare[:3]) + (", …" if len(bare) > 3 else "")
            there = ", ".join(sorted(name for name, by_key in masks.items() if by_key))
            raise ValueError(
                f"{path}: no image has a mask of the {structure} ({len(bare)} without: {listed})"
                f"{f'; there are masks of {there}' if there else ''}; expected {expected}"
            )

    def reader(image: Image, structure: str) -> partial:
        parts = files(image, structure)
        for part, names in parts.items():
            if shared[image.key] > 1:
                others = [other.name for other in found if other.key == image.key and other != image]
                problem = f"ambiguous, its {part} mask would also be that of {', '.join(others)}"
            elif len(names) > 1:
                problem = f"ambiguous, {len(names)} {part} masks fit: {', '.join(names)}"
            elif not names:
                return partial(missing, f"{path}/{image.name}: its {part} mask is missing; expected {expected}")
            else:
                continue
            return partial(refuse, f"{path}/{image.name}: {problem}; expected {expected}")
        values = tuple((labels or {}).get(structure, ()))
        return partial(archive.mask, path, {part: names[0] for part, names in parts.items()}, values)

    return [
        Case(
            case_id=image.case_id,
            label=image.label,
            image=partial(read, path, image.name),
            masks={structure: reader(image, structure) for structure in structures},
            group=image.group,
            spacing=partial(spacing, path, image.name),
        )
        for image in found
    ]


def refuse(reason: str) -> NoReturn:
    """Raise ValueError. This takes the place of a mask that cannot be read."""
    raise ValueError(reason)


def missing(reason: str) -> NoReturn:
    """Raise ValueError. This takes the place of a mask that is not there."""
    raise ValueError(reason)


def has_mask(case: Case, structure: str) -> bool:
    """Return whether there is a mask of a structure, though perhaps one that cannot be read."""
    return getattr(case.masks[structure], "func", None) is not missing


def sample_cases(cases: list[Case], config: DataConfig) -> list[Case]:
    """Draw ``data.cases_per_class`` cases of each class named there, without replacement.

    The sample of a class depends only on the seed and on the cases of that class. A smaller sample is part of a
    larger one. Classes not named are left out; with none named all cases are kept.

    Parameters
    ----------
    cases : list of Case
        In a stable order, which the result keeps.
    config : DataConfig
        `cases_per_class` and `seed` are used.

    Returns
    -------
    list of Case

    Raises
    ------
    ValueError
        A class that there is not, or one with fewer cases than asked for.
    """
    if not config.cases_per_class:
        return cases
    members: dict[str, list[int]] = {}
    for index, case in enumerate(cases):
        members.setdefault(case.label, []).append(index)
    check_known("data.cases_per_class", config.cases_per_class, members)
    chosen: list[int] = []
    for label, number in config.cases_per_class.items():
        indices = members[label]
        if number > len(indices):
            raise ValueError(
                f"data.cases_per_class: {number} cases of {label} asked for; expected at most {len(indices)}"
            )
        order = np.random.default_rng([config.seed, *label.encode()]).permutation(len(indices))
        chosen += [indices[place] for place in order[:number]]
    return [cases[index] for index in sorted(chosen)]


def check_known(key: str, asked: Iterable[str], known: Iterable[str]) -> None:
    """Raise ValueError, with the nearest known name, if something unknown is asked for."""
    known = sorted(known)
    spelled = {name.casefold(): name for name in known}
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(name.casefold(), spelled, 1)
            hint = f", did you mean {spelled[near[0]]}?" if near else ""
            raise ValueError(f"{key}: unknown {name!r}{hint}; known: {', '.join(known)}")
