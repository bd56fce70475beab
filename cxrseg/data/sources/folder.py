"""A folder or ZIP of images and masks, laid out as people have it.

Its simplest layout is ``<class>/images/`` and ``<class>/masks/`` with the same file names, or ``images/`` and
``masks/`` alone. `cxrseg.data.layout` says what else is understood: other names, masks by structure, parts of a split,
folders of patients, and one folder in which only the file names tell images from masks.
"""

import re
from collections import Counter
from contextlib import suppress
from pathlib import Path, PurePosixPath

from cxrseg.config import DataConfig
from cxrseg.data.cases import About, Case, plain
from cxrseg.data.layout import MASK_ONLY, SEVERAL, Found, discover
from cxrseg.data.pairing import Image, pair, sample_cases
from cxrseg.data.read import archive
from cxrseg.data.read.images import SUFFIXES
from cxrseg.models import LUNGS

ABOUT = About("any", "yours", "a folder or ZIP with images/ and masks/, or laid out in another way")

_LAYOUT = "<class>/images/ and <class>/masks/, or images/ and masks/"
_EXPECTED = f"a folder or ZIP with {_LAYOUT}, whose images are {', '.join(SUFFIXES)}"


def cases(config: DataConfig) -> list[Case]:
    """List the cases of a folder, and print in one line what was found.

    Common spellings of the paper's three classes are mapped to them, other folder names are labels as they stand.
    Masks without an image are passed over.

    Parameters
    ----------
    config : DataConfig
        `path` names the folder or ZIP; `structures`, `labels`, `patient`, `cases_per_class` and `seed` are used. Masks
        whose names say no structure are of the first structure, or of those in `labels`.

    Returns
    -------
    list of Case
        In the order of class folder and file name.

    Raises
    ------
    ValueError
        The folder does not exist, has no images or no masks, or images at different depths; a class is unknown or has
        too few cases; `patient` is no regular expression with a group.
    """
    path = archive.existing(config.path, "folder", _EXPECTED)
    names = [name for name in archive.list_files(path) if _is_readable(path, name)]
    root = ""
    if path.is_file() and len({name.partition("/")[0] for name in names}) == 1 and "/" in names[0]:
        root = names[0].partition("/")[0] + "/"  # the folder that was packed, which is no class
    try:
        found = discover([name.removeprefix(root) for name in names], config.structures)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if not found:
        raise ValueError(f"{path}: no images found{_what_there_is(path)}; expected {_EXPECTED}")
    if {"noncovid", "noncovidpneumonia"} <= {plain(name) for one in found for name in one.name.split("/")[:-1]}:
        raise ValueError(
            f"{path}: RSUA's class folders, where Non_Covid means Normal: use the source rsua (--on rsua:PATH)"
        )
    masks = _masks(path, found, config, root)
    images = [
        Image(one.key, one.label, one.case_id, root + one.name, patient(config, one.name) or one.group) for one in found
    ]
    listed = pair(
        path, images, masks, f"masks/ beside images/, or names as x_mask ({_LAYOUT})", config.structures, config.labels
    )
    print(f"{path.name}: {_describe(listed, found, masks, names, archive.list_files(path))}", flush=True)
    if config.patient and not any(patient(config, one.name) for one in found):
        raise ValueError(f"data.patient {config.patient!r}: fits no file name, such as {found[0].name}")
    return sample_cases(listed, config)


def _is_readable(path: Path, name: str) -> bool:
    if name.lower().endswith((*SUFFIXES, *MASK_ONLY)):
        return True
    suffix = PurePosixPath(name).suffix[1:]
    return (not suffix or suffix.isdigit()) and archive.is_dicom(path, name)


def patient(config: DataConfig, name: str) -> str | None:
    """Return the patient whom the file name states according to ``data.patient``, or None.

    Raises
    ------
    ValueError
        ``data.patient`` is no regular expression with a group.
    """
    if not config.patient:
        return None
    try:
        found = re.search(config.patient, PurePosixPath(name).name)
        return found[1] if found else None
    except (re.error, IndexError) as error:
        raise ValueError(
            f"data.patient {config.patient!r}: {error}; expected a regular expression with a group, as ^(.+)_"
        ) from None


def _masks(path: Path, found: list[Found], config: DataConfig, root: str) -> dict[str, dict[tuple, list[str]]]:
    """Return the mask files of each structure by the keys of the images."""
    masks: dict[str, dict[tuple, list[str]]] = {}
    unnamed = list(config.labels) or config.structures[:1]
    of_several = _of_several(path, [root + name for one in found for name in one.masks.get("", [])], config) or unnamed
    for one in found:
        for structure, names in one.masks.items():
            full = [root + name for name in names]
            several = any(name.lower().endswith(SEVERAL) for name in full)
            for of in [structure] if structure else of_several if several else unnamed:
                masks.setdefault(of, {}).setdefault(one.key, []).extend(full)
    return masks


def _of_several(path: Path, names: list[str], config: DataConfig) -> list[str]:
    """Return the structures that the first readable file with masks of several structures holds by name."""
    for name in names:
        if name.lower().endswith(SEVERAL):
            with suppress(ValueError):
                return archive.structures_named_in(path, name, config.structures)
    return []


def _describe(listed: list[Case], found: list[Found], masks: dict, names: list[str], there: list[str]) -> str:
    """Say in one line what was found, so that a wrong guess is seen."""
    said = [f"{len(listed):,} images"]
    labels = Counter(case.label for case in listed)
    if set(labels) != {"all"}:
        said.append("classes " + ", ".join(f"{label} {count:,}" for label, count in sorted(labels.items())))
    said.append("masks of " + ", ".join(f"{structure} {len(keys):,}" for structure, keys in sorted(masks.items())))
    if "lungs" not in masks and set(LUNGS) <= set(masks):
        said.append("lungs as the union of both")
    groups = {case.group for case in listed if case.group}
    said.append(f"{len(groups):,} patients, as {min(groups)}" if groups else "patients unknown (see data.patient)")
    taken = len(found) + len({name for one in found for group in one.masks.values() for name in group})
    if taken < len(names):
        said.append(f"{len(names) - taken} other images or masks passed over")
    if others := Counter(PurePosixPath(name).suffix.lower() or "no suffix" for name in set(there) - set(names)):
        said.append("not read: " + ", ".join(f"{count} {kind}" for kind, count in others.most_common(4)))
    example = next((f"{one.name} with {names[0]}" for one in found for names in one.masks.values()), "")
    return "; ".join([*said, example])


def _what_there_is(path: Path) -> str:
    kinds = Counter(PurePosixPath(name).suffix.lower() or "no suffix" for name in archive.list_files(path))
    return f" among {', '.join(f'{count} {kind}' for kind, count in kinds.most_common(4))}" if kinds else ""
