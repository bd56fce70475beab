"""A folder with images and masks, with or without class folders.

Layout: ``<root>/<class>/images/`` and ``<root>/<class>/masks/``, or ``images/`` and ``masks/`` in the root
itself, where every case gets the label ``"all"``. An image and its mask have the same stem. ``masks`` holds
the first structure of ``data.structures``, ``masks_<structure>`` each further one, so ``masks_infection``.
"""

from pathlib import PurePosixPath

from cxrseg.config import DataConfig
from cxrseg.data import archive
from cxrseg.data.cases import Case, class_name, plain
from cxrseg.data.images import SUFFIXES
from cxrseg.data.pairing import Image, pair, sample_cases

_LAYOUT = "<class>/images/ and <class>/masks/, or images/ and masks/"
_EXPECTED = f"a folder with {_LAYOUT}, whose files are {', '.join(SUFFIXES)}"


def cases(config: DataConfig) -> list[Case]:
    """List the cases of a folder.

    Common spellings of the paper's three classes are mapped to them, other folder names are labels as
    they stand. Folder names and suffixes may be in upper or lower case. Folders without images are passed
    over, and so are masks without an image.

    Parameters
    ----------
    config : DataConfig
        `path` names the folder; `structures`, `cases_per_class` and `seed` are used.

    Returns
    -------
    list of Case
        In the order of class folder and file name.

    Raises
    ------
    ValueError
        The folder does not exist, has neither layout or both, or has no masks; a class is unknown or has too few cases.
    """
    path = archive.existing(config.path, "folder", _EXPECTED)
    if not path.is_dir():
        raise ValueError(f"{path}: this is a file; expected {_EXPECTED}")
    first, *further = config.structures
    folders = {"masks": first} | {f"masks_{structure}".casefold(): structure for structure in further}
    found: list[Image] = []
    masks: dict[str, dict[tuple, list[str]]] = {structure: {} for structure in config.structures}
    for name in map(PurePosixPath, archive.list_files(path)):
        if name.suffix.lower() not in SUFFIXES or len(name.parts) not in (2, 3):
            continue
        *above, kind, file = name.parts
        key = (*above, name.stem)
        if kind.casefold() == "images":
            label = class_name(above[0]) if above else "all"
            found.append(Image(key, label, "/".join((*above, file)), str(name)))
        elif kind.casefold() in folders:
            masks[folders[kind.casefold()]].setdefault(key, []).append(str(name))
    if not found:
        raise ValueError(f"{path}: no images found; expected {_EXPECTED}")
    if len({len(image.key) for image in found}) > 1:
        raise ValueError(f"{path}: images both by class and in the root; expected either {_LAYOUT}")
    if {"noncovid", "noncovidpneumonia"} <= {plain(image.key[0]) for image in found if len(image.key) > 1}:
        raise ValueError(
            f"{path}: these are RSUA's class folders, whose Non_Covid means Normal; expected data.source rsua for them"
        )
    return sample_cases(
        pair(path, found, masks, f"{' and '.join(folders)}/ beside images/, with the image's stem"), config
    )
