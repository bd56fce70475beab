"""CheXmask, masks of 657,566 public radiographs (Gaggion et al., doi 10.13026/dx54-8351, Scientific Data 11:511, 2024).

Layout: one or several of its CSV files beside the radiographs, which the user has from their own publishers
(ChestX-ray8, CheXpert, MIMIC-CXR-JPG, PadChest, VinDr-CXR), in any folders. A row names an image and holds masks of the
right lung, the left lung and the heart as run lengths. A network drew them and estimated their quality; those below
`QUALITY` are left out, as the authors advise. Patients are known for ChestX-ray8, CheXpert and MIMIC-CXR.
"""

import re
from contextlib import contextmanager
from functools import partial
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from cxrseg.config import DataConfig
from cxrseg.data.cases import About, Case
from cxrseg.data.pairing import check_known, sample_cases
from cxrseg.data.read import archive
from cxrseg.data.read.images import SUFFIXES, check_size
from cxrseg.models import LUNGS

ABOUT = About(
    "657,566",
    "masks CC BY 4.0; each collection of images has its own",
    "download CSV files of OriginalResolution/ from physionet.org/content/chexmask-cxr-segmentation-data, "
    "and put them beside the images",
    "drawn by a network (HybridGNet), not by people",
)
QUALITY = 0.7
"""Smallest estimated Dice (``Dice RCA (Mean)``) of a mask that is taken."""

COLUMNS = {"right_lung": "Right Lung", "left_lung": "Left Lung", "heart": "Heart"}
PATIENT = r"^(\d{8})_\d{3}\.|(patient\d{5,})|(?:^|/)(p\d{8})/"
"""Where a path names the patient, in ChestX-ray8, CheXpert and MIMIC-CXR."""

_EXPECTED = "a folder with CSV files of CheXmask and the radiographs that they name"


def cases(config: DataConfig) -> list[Case]:
    """List the radiographs that have a mask of CheXmask, and print how many masks were left out.

    Parameters
    ----------
    config : DataConfig
        `path` names the folder or ZIP; `structures` (lungs, right_lung, left_lung, heart), `cases_per_class` and
        `seed` are used.

    Returns
    -------
    list of Case
        By image. There are no classes.

    Raises
    ------
    ValueError
        No such data, an unknown structure, or too few cases.
    """
    check_known("data.structures (source chexmask)", config.structures, ["lungs", *COLUMNS])
    path = archive.existing(config.path, "chexmask", _EXPECTED)
    names = archive.list_files(path)
    images: dict[str, list[str]] = {}
    for name in names:
        if name.lower().endswith(SUFFIXES):
            images.setdefault(PurePosixPath(name).stem, []).append(name)
    found, poor = {}, 0
    for table in (name for name in names if name.lower().endswith(".csv")):
        for row in _rows(path, table):
            image = _image(str(row[0]), images)
            if image and row[1] < QUALITY:
                poor += 1
            elif image:
                found[image] = row[2:]
    if poor and not found:
        raise ValueError(f"{path}: all {poor:,} masks of its radiographs are left out: quality below {QUALITY}")
    if not found:
        raise ValueError(f"{path}: no CSV of CheXmask names a radiograph that is there; expected {_EXPECTED}")
    print(
        f"{path.name}: {len(found):,} radiographs with masks; {poor:,} masks below quality {QUALITY} left out",
        flush=True,
    )
    listed = []
    for image in sorted(found):
        height, width, *runs = found[image]
        height, width = int(height), int(width)
        coded = dict(zip(COLUMNS, runs, strict=True))
        masks = {
            structure: partial(
                decode, [coded[part] for part in (LUNGS if structure == "lungs" else [structure])], height, width, image
            )
            for structure in config.structures
        }
        person = re.search(PATIENT, PurePosixPath(image).name) or re.search(PATIENT, image)
        group = next((part for part in person.groups() if part), None) if person else None
        listed.append(
            Case(
                image,
                "all",
                partial(archive.radiograph, path, image),
                masks,
                group,
                partial(archive.spacing, path, image),
            )
        )
    return sample_cases(listed, config)


def decode(codes: list[str], height: int, width: int, name: str) -> np.ndarray:
    """Return the union of run-length codes: pairs of a first pixel, from 1 and by rows, and a number of pixels.

    Returns
    -------
    (height, width) bool array

    Raises
    ------
    ValueError
        A code is damaged or leaves the image.
    """
    check_size(width, height, name)
    mask = np.zeros(height * width, bool)
    for code in codes:
        try:
            runs = np.array(code.split(), np.int64).reshape(-1, 2)
        except (ValueError, OverflowError):
            runs = None
        if runs is None or (runs < 1).any() or (runs.sum(axis=1) - 1 > mask.size).any():
            raise ValueError(f"{name}: its run-length code does not fit {width} x {height} pixels")
        for start, length in runs:
            mask[start - 1 : start - 1 + length] = True
    return mask.reshape(height, width)


@contextmanager
def _readable(table: str):
    """Name the table where pandas cannot read it."""
    try:
        yield
    except ValueError as error:  # of pandas, and of text in another encoding
        raise ValueError(f"{table}: not a CSV table ({str(error).strip()}); remove it, or export it again") from None


def _rows(path, table: str):
    """Yield image, quality, height, width and codes of each row; nothing if the table is not CheXmask's."""
    wanted = ["Dice RCA (Mean)", "Height", "Width", *COLUMNS.values()]
    with archive.stream(path, table) as file, _readable(f"{path}: {table}"):
        for part in pd.read_csv(file, chunksize=1000, keep_default_na=False, dtype=str):
            if not set(wanted) <= set(part.columns):
                return
            identity = next(
                column for column in part.columns if column not in wanted and not column.startswith("Unnamed")
            )
            numbers = part[wanted[:3]].apply(pd.to_numeric, errors="coerce")
            whole = np.isfinite(numbers).all(axis=1)
            part = part.assign(**numbers)
            yield from part.loc[whole, [identity, *wanted]].itertuples(index=False, name=None)


def _image(identity: str, images: dict[str, list[str]]) -> str | None:
    """Return the file that an image id means: a name with or without suffix, or a path."""
    given = PurePosixPath(identity)
    stem = given.stem if given.suffix.lower() in SUFFIXES else given.name
    fits = images.get(stem, [])
    exact = [name for name in fits if f"/{name}".endswith("/" + "/".join(given.parts[-4:]))]
    return (exact or fits)[0] if len(exact or fits) == 1 else None
