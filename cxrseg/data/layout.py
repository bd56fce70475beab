"""Find images and their masks in a folder that was laid out by somebody else.

Names are read as words: ``ManualMask/leftMask`` is *manual mask, left mask*. A folder or an affix of a file name may
say that a file is an image or a mask, of which structure, and to which part of a split it belongs. The folders that
remain are the diagnostic class or the patient.
"""

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from cxrseg.data.cases import class_name, is_class, plain
from cxrseg.data.words import IMAGE, MASK, OTHER, PARTS, STRUCTURES, structure_named, unglued, words

MASK_ONLY = (".gif", ".npy", ".npz", ".nii", ".nii.gz")
"""Suffixes of files that may be masks and are never radiographs."""

RANKS = (
    r"(?i)(class|grade|type|stage|level|score|site|hospital|cent(er|re)|study|series|view)[^a-z]*\d|\d{1,2}($|_[a-z])"
)
"""Names with a number that are no patients."""

SEVERAL = (".npz", ".dcm", ".dicom")
"""Suffixes of files that may hold masks of several structures."""


class Found(NamedTuple):
    """An image file, and the masks that belong to it.

    Attributes
    ----------
    name : str
        Relative to the folder, with forward slashes.
    key : tuple
        Shared by files that only their suffix tells apart.
    case_id : str
    label : str
        Diagnostic class, ``"all"`` where there are none.
    group : str or None
        Patient, where folders say so.
    masks : dict of str to list of str
        Mask files by structure. The key ``""`` holds masks whose names say no structure.
    """

    name: str
    key: tuple
    case_id: str
    label: str
    group: str | None
    masks: dict[str, list[str]]


class _File(NamedTuple):
    name: str
    role: str  # "image", "mask" or ""
    structure: str
    part: tuple  # parts of a split, folded
    above: tuple  # the folders that mean neither, as written
    kept: tuple  # the folders that tell cases apart, as written
    stem: str


def discover(names: Iterable[str], structures: Iterable[str]) -> list[Found]:
    """Find images and pair them with masks.

    Parameters
    ----------
    names : iterable of str
        Image and mask files, relative to the folder.
    structures : iterable of str
        Structures asked for, whose names are understood in addition to `STRUCTURES`.

    Returns
    -------
    list of Found
        In the order of the names. It is empty if there is no image.

    Raises
    ------
    ValueError
        Images lie at different depths, so that classes cannot be told.
    """
    known = {plain(structure): structure for structure in structures}
    listed = [PurePosixPath(name) for name in sorted(names)]
    folders = ["/".join(path.parts[:-1]) for path in listed]
    shared = len(PurePosixPath(os.path.commonpath(folders)).parts) if folders else 0
    files = [_read(path, known, shared) for path in listed]
    images, masks = _roles(files, known)
    labels, groups = _classes(images)
    found = {
        file.name: Found(
            file.name,
            (file.part, _fold(file.above), _fold(file.stem)),
            "/".join([*file.kept, PurePosixPath(file.name).name]),
            label,
            group,
            defaultdict(list),
        )
        for file, label, group in zip(images, labels, groups, strict=True)
    }
    for structure, image, name in _pairs(images, masks, known):
        for one in image:
            found[one].masks[structure].append(name)
    return list(found.values())


def _fold(name):
    """Return a name, or several, so that Unicode form and case do not matter."""
    if isinstance(name, str):
        return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return tuple(map(_fold, name))


def _read(path: PurePosixPath, known: dict[str, str], shared: int) -> _File:
    """Read the name of a file; what the first `shared` folders, which are those of all files, say does not count."""
    role, structure, part, above, kept = "", "", [], [], []
    for depth, folder in enumerate(path.parts[:-1]):
        said, of, in_part = _meaning(folder, known, inside_masks=role == "mask")
        if depth < shared and said:
            continue
        if in_part:
            part.append(in_part)
        if said:
            role, structure = said, of or structure
        elif not in_part:
            above.append(folder)
        if in_part or not said:
            kept.append(folder)
    stem = path.name.removesuffix(".gz")
    suffix = PurePosixPath(stem).suffix
    stem = stem.removesuffix(suffix) if not suffix[1:].isdigit() else stem  # the last part of a UID is no suffix
    return _File(str(path), role, structure, tuple(part), tuple(above), tuple(kept), stem)


def _meaning(folder: str, known: dict[str, str], inside_masks: bool) -> tuple[str, str, str]:
    """Return what the name of a folder says: the role of its files, their structure and their part of a split."""
    found = [word for word in words(folder) if not word.isdigit()]
    if is_class(folder) or not found:
        return "", "", ""
    part = "".join(words(folder)) if "".join(words(folder)) in PARTS else next((w for w in found if w in PARTS), "")
    rest = [word for glued in found for word in unglued(glued) if word not in PARTS and word != part]
    if not rest:
        return "", "", part
    if "".join(rest) in IMAGE or (set(rest) <= IMAGE | OTHER and set(rest) & IMAGE):
        return "image", "", part
    if "".join(rest) in MASK:
        return "mask", "", part
    of = [word for word in rest if word not in MASK]
    structure = structure_named(of, known)
    if len(of) < len(rest):
        return "mask", structure or "_".join(word for word in of if word not in IMAGE | OTHER), part
    # A bare "left" is a structure among masks only; "left lung" is one everywhere.
    if structure and (inside_masks or len(of) > 1 or "lung" in of[0]):
        return "mask", structure, part
    return "", "", ""


def _strip(stem: str, vocabulary: set[str]) -> tuple[str, list[str]]:
    """Return a stem without the words of a vocabulary at its ends, and these words."""
    # Words, numbers, and what separates them.
    pieces = [piece for piece in re.split(r"([\W_]+|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_]))", stem) if piece]

    def removable(piece: str) -> bool:
        return all(word in vocabulary for word in words(piece))

    first: list[str] = []
    last: list[str] = []
    while pieces and removable(pieces[-1]):
        last = words(pieces.pop()) + last
    while pieces and removable(pieces[0]):
        first += words(pieces.pop(0))
    return ("".join(pieces), first + last) if first + last else (stem, [])


def _mask_stems(file: _File, known: dict[str, str]) -> list[tuple[str, str]]:
    """Return the stems that the image of a mask may have, and the structure that is then named; strictest first."""
    bare, removed = _strip(file.stem, MASK)
    core, all_removed = _strip(file.stem, MASK | set(STRUCTURES) | set(known))
    structure = structure_named([word for word in all_removed if word not in MASK], known)
    return [(file.stem, "")] + [(bare, "")] * bool(removed) + [(core, structure)] * bool(structure)


def _roles(files: list[_File], known: dict[str, str]) -> tuple[list[_File], list[_File]]:
    """Return the images and the masks. Where no folder tells them apart, affixes of the file names do."""
    pictures = [file for file in files if not file.name.lower().endswith(MASK_ONLY)]
    if any(file.role == "mask" for file in files):
        masks = [file for file in files if file.role == "mask"]
        images = [file for file in pictures if file.role == "image"] or [file for file in pictures if not file.role]
        return images, masks
    pictures = [file for file in pictures if file.role == "image"] or pictures
    there = {
        (file.part, file.above, _fold(stem)) for file in pictures for stem in (file.stem, _strip(file.stem, IMAGE)[0])
    }
    masks = [
        file
        for file in pictures
        if _strip(file.stem, MASK)[1]
        or any((file.part, file.above, _fold(stem)) in there for stem, _ in _mask_stems(file, known)[1:])
    ]
    if not masks:  # perhaps JPEG or DICOM images with a PNG mask each
        stems = Counter((file.part, file.above, _fold(file.stem)) for file in pictures)
        if set(stems.values()) == {2}:
            masks = [file for file in pictures if file.name.lower().endswith(".png")]
            masks = masks if 2 * len(masks) == len(pictures) else []
    images = [file for file in pictures if file not in masks]
    return images, masks + [file for file in files if file.name.lower().endswith(MASK_ONLY)]


def _pairs(images: list[_File], masks: list[_File], known: dict[str, str]):
    """Yield the structure, the image files and the mask file of each pair."""
    strict, loose, by_stem = defaultdict(list), defaultdict(list), defaultdict(list)
    for image in images:
        channel = re.sub("_0000$", "", image.stem)  # nnU-Net's number of the channel
        strict[image.part, _fold(image.above), _fold(image.stem)].append(image.name)
        bare = _strip(channel, IMAGE)[0]
        if bare != image.stem:
            loose[image.part, _fold(image.above), _fold(bare)].append(image.name)
        by_stem[_fold(image.stem)].append(image)
    depth = max((len(image.above) for image in images), default=0)
    own = {_own_folder(mask, depth) for mask in masks}
    for mask in masks:
        stems = _mask_stems(mask, known)
        where = mask.part, _fold(mask.above)
        fits = [(strict[*where, _fold(stem)], named) for stem, named in stems]
        # An image that is only almost of that name must be the only one.
        almost = [(loose[*where, _fold(stem)], named) for stem, named in stems]
        fits += [(names, named) for names, named in almost if len(names) == 1]
        # The masks may lie in other folders than their images.
        for stem, named in stems:
            near = [
                image.name
                for image in by_stem[_fold(stem)]
                if _inside(image.part, mask.part) and _inside(_fold(image.above), _fold(mask.above))
            ]
            fits += [(near, named)] if len(near) == 1 else []
        for names, named in fits:
            if names:
                yield mask.structure or named or _structure_of(_own_folder(mask, depth), own, known), names, mask.name
                break


def _own_folder(mask: _File, depth: int) -> str:
    """Return the folder that stands above a mask, but above no image, whose folders are `depth`."""
    own = mask.above[depth] if len(mask.above) > depth else ""
    # Classes say nothing of a structure, nor do patients, whose names have numbers.
    return "" if is_class(own) or any(letter.isdigit() for letter in own) else own


def _structure_of(folder: str, folders: set[str], known: dict[str, str]) -> str:
    """Return the structure that a folder above masks means: ``heart/masks``; an unknown word only beside others."""
    said = [word for word in words(folder) if word not in OTHER | MASK | IMAGE]
    return structure_named(said, known) or ("_".join(said) if len(folders) > 1 else "")


def _inside(one: tuple, other: tuple) -> bool:
    """Return whether one path of folders begins with the other."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _classes(images: list[_File]) -> tuple[list[str], list[str | None]]:
    """Return the diagnostic class and the patient of each image, after the folders that have no other meaning."""
    depths = {len(image.above): image.name for image in images}
    if len(depths) > 1:
        raise ValueError(
            f"images lie at different depths ({' and '.join(list(depths.values())[:2])}); "
            "expected all of them in class folders, or none"
        )
    levels = list(zip(*(image.above for image in images), strict=True))
    # A patient's studies and series lie inside the patient's folder, and have numbers, too.
    place = next((k for k, level in enumerate(levels) if _are_patients(level)), None)
    patients = None if place is None else levels.pop(place)
    others = levels if place is None else levels[:place] + [level for level in levels[place:] if not _numbered(level)]
    if len(others) > 1:
        others = [level for level in others if len(set(level)) > 1] or others[-1:]
    chosen = next((level for level in others if any(map(is_class, level))), others[-1] if others else None)
    labels = [class_name(name) for name in chosen] if chosen else ["all"] * len(images)
    return labels, list(patients) if patients else [None] * len(images)


def _are_patients(names: tuple[str, ...]) -> bool:
    """Return whether folder names are patients: several, each with a number, and few images each."""
    different = set(names)
    few = len(different) > 1 and max(Counter(names).values()) <= 20
    return few and _numbered(names) and not any(re.match(RANKS, name) for name in different)


def _numbered(names: tuple[str, ...]) -> bool:
    return all(any(letter.isdigit() for letter in name) and not is_class(name) for name in set(names))
