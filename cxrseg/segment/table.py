"""The table of a folder of results, which grows with each call."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from cxrseg.files import write_whole

NAME = "segmentations.csv"

COLUMNS = (
    "file", "width", "height", "left_px", "right_px", "heart_px", "left_mm2", "right_mm2", "heart_mm2",
    "left_to_right", "ctr", "ctr_refused", "predicted_dice", "warning",
    "structure", "mask", "overlay", "crop", "dicom_seg", "folder",
)  # fmt: skip
"""Columns of the table. Left and right are the patient's, so the left lung is on the right of the image.

A relative path in ``file`` counts from ``folder``, where the command was run.
"""

PATHS = ("file", "mask", "overlay", "crop", "dicom_seg", "folder")
"""Columns that hold a path."""


def read(folder: Path) -> dict[str, dict]:
    """Return the rows of a folder's table by the full path of the radiograph, none if there is no table.

    Of several rows of a radiograph, the last one counts. A last line that a full disk cut off does not.

    Raises
    ------
    ValueError
        The table is not as it was written, and would lose something if rows were added.
    """
    file = folder / NAME
    remedy = "move the folder away, or choose another --out"
    if not file.is_file():
        return {}
    try:
        text = file.read_bytes().decode("utf-8")
        header, *rows = list(csv.reader(io.StringIO(text, newline=""))) or [list(COLUMNS)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{file}: not as it was written ({error}); {remedy}") from None
    if header != list(COLUMNS):
        raise ValueError(f"{file}: its columns are not those that cxrseg writes; {remedy}")
    if rows and not text.endswith("\n") and len(rows[-1]) < len(COLUMNS):
        rows.pop()
    if odd := [number for number, row in enumerate(rows, start=1) if len(row) != len(COLUMNS)]:
        raise ValueError(f"{file}: row {odd[0]} does not have the {len(COLUMNS)} cells of the header; {remedy}")
    named = (dict(zip(COLUMNS, row, strict=True)) for row in rows)
    return {str(Path(row["folder"]) / row["file"]): row for row in named}


def key(file: Path) -> str:
    """Return the full path of a radiograph as `read` gives it."""
    return str(Path.cwd() / file).encode("utf-8", "backslashreplace").decode()


def write(rows: Iterable[dict], folder: Path) -> None:
    """Write the table of a folder anew, with these rows."""
    header = dict(zip(COLUMNS, COLUMNS, strict=True))
    write_whole(folder / NAME, lambda partial: _put([header, *rows], partial, "w"))


def add(row: dict, folder: Path) -> None:
    """Add a row to the table of a folder."""
    # A spreadsheet takes some paths for a formula: they are spelled in another way.
    _put([row | {column: _cell(row[column]) for column in PATHS if column in row}], folder / NAME, "a")


def _put(rows: Iterable[dict], file: Path, mode: str) -> None:
    """Write rows into a file; bytes of a file name that are not text are escaped."""
    with open(file, mode, newline="", encoding="utf-8", errors="backslashreplace") as stream:
        csv.DictWriter(stream, COLUMNS).writerows(rows)


def _cell(path: str) -> str:
    return f"./{path}" if path.startswith(("=", "+", "-", "@", "\t", "\r")) else path
