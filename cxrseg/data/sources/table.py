"""A CSV file that lists images and masks.

Columns: ``image``; ``mask``, of the first structure of the study, or a column for each structure, as ``heart``; and
where known ``class`` and ``patient``. Paths are relative to the CSV file.
"""

import csv
import os
import re
from functools import partial
from pathlib import Path

import pandas as pd

from cxrseg.config import DataConfig
from cxrseg.data.cases import About, Case, class_name, plain
from cxrseg.data.pairing import missing, sample_cases
from cxrseg.data.read import archive
from cxrseg.data.sources.folder import patient
from cxrseg.data.words import MASK, structure_named, words
from cxrseg.models import LUNGS

ABOUT = About("any", "yours", "a CSV file with the columns image, mask, class and patient")
COLUMNS = {
    "image": ("image", "images", "img", "file", "filename", "imagepath", "path", "xray", "cxr"),
    "mask": ("mask", "masks", "maskpath", "labelmap", "segmentation"),
    "class": ("class", "label", "diagnosis", "finding"),
    "patient": ("patient", "patientid", "subject", "subjectid", "group"),
}
"""Spellings of the columns, in lower case and without separators."""

_EXPECTED = "a CSV file with the columns image and mask, and where known class and patient"


def cases(config: DataConfig) -> list[Case]:
    """List the cases of a CSV file.

    Parameters
    ----------
    config : DataConfig
        `path` names the file; `structures`, `labels`, `patient`, `cases_per_class` and `seed` are used.

    Returns
    -------
    list of Case
        In the order of the rows. ``case_id`` is the image as listed.

    Raises
    ------
    ValueError
        No such file, not a CSV, a column missing, an image listed twice, or a class that is unknown or has too few
        cases.
    """
    path = archive.existing(config.path, "csv", _EXPECTED)
    table = _rows(path)
    columns = {plain(column): column for column in table.columns}
    named = {
        key: next((columns[spelling] for spelling in spellings if spelling in columns), None)
        for key, spellings in COLUMNS.items()
    }
    if named["image"] is None:
        raise ValueError(f"{path}: has the columns {', '.join(map(str, table.columns))}; expected {_EXPECTED}")
    parts = {structure: _parts(structure, config, columns, named["mask"], path) for structure in config.structures}
    for column in {named["image"], *(column for of in parts.values() for column in of.values())}:
        table[column] = [_with_slashes(name, path.parent) for name in table[column]]
    for key in ("image", "mask"):
        files = table[named[key]].map(os.path.normpath) if named[key] else pd.Series(dtype=str)
        if len(twice := files[files.duplicated() & (files != ".")]):
            raise ValueError(f"{path}: lists {twice.iloc[0]} twice; expected each {key} once")
    listed = []
    for row in table.to_dict("records"):
        image = row[named["image"]]
        group = patient(config, image) or (row[named["patient"]] if named["patient"] else None)
        listed.append(
            Case(
                image,
                class_name(row[named["class"]] or "unknown") if named["class"] else "all",
                partial(archive.radiograph, path.parent, image),
                {name: _reader(path, image, row, of, config.labels.get(name, [])) for name, of in parts.items()},
                group or None,
                partial(archive.spacing, path.parent, image),
            )
        )
    print(f"{path.name}: {len(listed):,} images; {_said(named, parts)}", flush=True)
    return sample_cases(listed, config)


def _parts(structure: str, config: DataConfig, columns: dict, mask: str | None, path: Path) -> dict[str, str]:
    """Return the columns that hold the masks of a structure, by the structures whose union it is."""
    own = next((column for column in columns.values() if column != mask and _structure(column) == structure), None)
    if own:
        return {structure: own}
    if mask and (structure == config.structures[0] or structure in config.labels):
        return {structure: mask}
    sides = {_structure(column): column for column in columns.values() if _structure(column) in LUNGS}
    if structure == "lungs" and len(sides) == len(LUNGS):
        return sides
    names = f"{structure} or mask" if structure == config.structures[0] else structure
    raise ValueError(f"{path}: has no column with masks of the {structure}; expected one called {names}")


def _structure(column: str) -> str:
    """Return the structure that the name of a column says, as ``left_lung_mask``."""
    said = [word for word in words(column) if word not in MASK]
    return structure_named(said) or "_".join(said)


def _rows(path: Path) -> pd.DataFrame:
    """Read a table with a header, separated by commas, semicolons or tabs, in any of the usual encodings."""
    try:
        content = path.read_bytes()
        usual = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        try:
            text = content.decode(usual)
        except UnicodeDecodeError:
            text = content.decode("cp1252")
        lines = text.splitlines()
        if not text.strip() or "\0" in text:
            raise ValueError("empty" if not text.strip() else "not a text file")
        first = next(number for number, line in enumerate(lines) if line.strip())
        if named := re.fullmatch(r"sep=(.) *", lines[first]):  # a line for Excel
            lines[first] = ""
        separator = named[1] if named else max(",;\t", key=lines[first].count)
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        stripped = ((reader.line_num, [cell.strip() for cell in row]) for row in reader)
        # Excel leaves rows of empty cells below a table, and columns of them beside it.
        found = [(number, row) for number, row in stripped if any(row)]
        width = max(place for _, row in found for place, cell in enumerate(row, start=1) if cell)
        (_, header), *rows = [(number, row[:width]) for number, row in found]
        if twice := [name for name in header if header.count(name) > 1]:
            raise ValueError(f"two columns are called {twice[0]!r}")
        for number, row in rows:
            if len(row) != len(header):
                raise ValueError(f"row {number} has {len(row)} fields, the header {len(header)}")
    except (ValueError, OSError, csv.Error) as error:
        raise ValueError(f"{path}: not a CSV file ({error}); expected {_EXPECTED}") from None
    return pd.DataFrame([row for _, row in rows], columns=header, dtype=str)


def _with_slashes(name: str, folder: Path) -> str:
    """Return the path of a file as this system writes it, where it was written on Windows."""
    return name.replace("\\", "/") if "\\" in name and not (folder / name).exists() else name


def _reader(path: Path, image: str, row: dict, parts: dict[str, str], values: list[int]) -> partial:
    names = {part: row[column] for part, column in parts.items()}
    if without := [part for part, name in names.items() if not name]:
        return partial(missing, f"{path}: {image} has no {without[0]} mask")
    return partial(archive.mask, path.parent, names, tuple(values))


def _said(named: dict, parts: dict[str, dict[str, str]]) -> str:
    used = [column for of in parts.values() for column in of.values()]
    kinds = [f"{kind} from {named[kind]}" if named[kind] else f"{kind} unknown" for kind in ("class", "patient")]
    return f"masks from {', '.join(used)}; {', '.join(kinds)}"
