"""Segment many files on all cores, and write masks, overlays and one table."""

import csv
import glob
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cxrseg.data.read.images import SUFFIXES, is_dicom, opened
from cxrseg.segment.model import Model
from cxrseg.segment.overlay import cut_out, overlay, write_mask

COLUMNS = (
    "file", "width", "height", "left_px", "right_px", "heart_px", "left_mm2", "right_mm2", "heart_mm2",
    "left_to_right", "ctr", "ctr_refused", "predicted_dice", "warning",
    "structure", "mask", "overlay", "crop", "dicom_seg",
)  # fmt: skip
"""Columns of ``segmentations.csv``. Left and right are the patient's, so the left lung is on the right of the image."""

PATHS = ("file", "mask", "overlay", "crop", "dicom_seg")
"""Columns of ``segmentations.csv`` that hold a path."""


def segment_files(
    model: Model,
    files: list[Path],
    folder: Path,
    threshold: float | None = None,
    structure: str = "lungs",
    crop: bool = False,
    dicom_seg: bool = False,
    workers: int | None = None,
) -> Iterator[tuple[Path, dict | str]]:
    """Segment radiographs and write a mask, an overlay and a row of ``segmentations.csv`` for each.

    Parameters
    ----------
    model : Model
    files : list of Path
    folder : Path
        Output folder for ``segmentations.csv``, ``<name>-mask.png`` (0 and 255, at the radiograph's native resolution),
        ``<name>-overlay.jpg``, with `crop` ``<name>-<structure>.png``, and with `dicom_seg` ``<name>-seg.dcm``.
    threshold : float, optional
        Lowest probability, 0 to 1, at which a pixel belongs to a structure. The default is that of the model card.
    structure : str
        The structure of the mask and the crop.
    crop : bool
        Whether to also write the radiograph cropped to the structure, with every pixel outside it black.
    dicom_seg : bool
        Whether to also write all structures of a DICOM file as a DICOM Segmentation object.
    workers : int, optional
        Number of threads. The default is the number of processor cores.

    Yields
    ------
    file : Path
    row : dict or str
        The row of the table, or a one-line error message.

    Raises
    ------
    ValueError
        The network does not segment this structure.
    ModuleNotFoundError
        highdicom is not installed and `dicom_seg` is set.
    """
    if structure not in model.card.structures:
        raise ValueError(
            f"--structure {structure}: this network segments {', '.join(model.card.structures)}; choose one of these"
        )
    if dicom_seg:
        import highdicom  # noqa: F401  # ask for it before the first file is segmented
    folder.mkdir(parents=True, exist_ok=True)
    kept = _earlier(folder / "segmentations.csv", files)
    names = _names(files, {row["mask"].removeprefix("./").removesuffix("-mask.png").lower() for row in kept})
    with (
        # Line buffering keeps rows whole after an interruption. Bytes of a file name that are not text are escaped.
        open(
            folder / "segmentations.csv", "w", buffering=1, newline="", encoding="utf-8", errors="backslashreplace"
        ) as table,
        ThreadPoolExecutor(workers or os.cpu_count()) as pool,
    ):
        writer = csv.DictWriter(table, COLUMNS)
        writer.writeheader()
        writer.writerows(kept)
        # The number of waiting jobs is bounded, so that memory does not grow with the number of files.
        waiting: deque = deque()
        ahead = 2 * (workers or os.cpu_count() or 1)
        for file in [*files, *[None] * ahead]:
            if file:
                job = pool.submit(
                    _segment_file, model, file, folder / names[file], threshold, structure, crop, dicom_seg
                )
                waiting.append((file, job))
            if waiting and (not file or len(waiting) > ahead):
                done, job = waiting.popleft()
                row = job.result()
                if isinstance(row, dict):
                    writer.writerow(row | {key: _cell(row[key]) for key in PATHS if key in row})
                yield done, row


def _earlier(table: Path, files: list[Path]) -> list[dict]:
    """Return the rows of other files that earlier calls have written into the table of the same folder."""
    try:
        with open(table, newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            rows = list(reader) if tuple(reader.fieldnames or ()) == COLUMNS else []
    except (FileNotFoundError, UnicodeDecodeError):
        return []
    now = {_cell(str(file)) for file in files}
    return [row for row in rows if row["file"] not in now]


def _cell(path: str) -> str:
    """Return the same path in another spelling where a spreadsheet would take it for a formula."""
    return f"./{path}" if path.startswith(("=", "+", "-", "@", "\t", "\r")) else path


def find_files(given: list[str], out: Path) -> tuple[list[Path], list[str]]:
    """Find the radiographs given as files, folders and patterns, and return them with one line per problem.

    A folder is searched recursively, except for files directly in `out`, which are earlier results. A file given by
    name is accepted with any suffix, but not if it lies in `out`, where a result could overwrite it.
    """
    found: dict[Path, None] = {}
    problems = []
    for name in given:
        path = Path(name).expanduser()
        if path.is_dir():
            files = [file for file in sorted(path.rglob("*")) if not _hidden(file, path) and _is_radiograph(file, out)]
        elif path.exists():
            files = [path]
        else:
            files = [Path(match) for match in sorted(glob.glob(str(path), recursive=True)) if Path(match).is_file()]
        if (not path.is_dir() and any(_within(file, out) for file in files)) or path.resolve() == out.resolve():
            problems.append(f"{name}: results would be written beside the radiographs in {out}; choose another --out")
            files = []
        elif not files:
            problems.append(f"{name}: {'no radiograph in this folder' if path.is_dir() else 'no such file or folder'}")
        found |= dict.fromkeys(files)
    return list(found), problems


def _hidden(file: Path, folder: Path) -> bool:
    """Return whether a file below a folder is one that a Mac or a program keeps for itself, as ``._film.png`` is."""
    return any(part.startswith((".", "__MACOSX")) for part in file.relative_to(folder).parts)


def _is_radiograph(file: Path, out: Path) -> bool:
    if not file.is_file() or _within(file, out):
        return False
    if file.suffix.lower() in SUFFIXES:
        return True
    try:
        # Hospitals export DICOM files named by their UID, whose last part looks like a suffix.
        with open(file, "rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _within(file: Path, folder: Path) -> bool:
    """Return whether a file lies directly in a folder, as the results do."""
    return file.resolve().parent == folder.resolve()


def _names(files: list[Path], taken: Iterable[str] = ()) -> dict[Path, str]:
    """Return a unique name for the results of each file: its stem, with a number if that is already taken."""
    names, taken = {}, set(taken)
    for file in files:
        # The last part of a UID is not a suffix.
        plain = file.stem if file.suffix.lower() in SUFFIXES else file.name
        name, number = plain, 1
        while name.lower() in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.lower())
        names[file] = name
    return names


def _segment_file(model: Model, file: Path, *options) -> dict | str:
    try:
        return _write_results(model, file, *options)
    except (ValueError, OSError, MemoryError) as error:
        return str(error) or f"{file}: {type(error).__name__}"


def _is_dicom(file: Path) -> bool:
    with opened(file, str(file)) as stream:
        return is_dicom(stream, str(file))


def _write_results(
    model: Model, file: Path, base: Path, threshold, structure: str, crop: bool, dicom_seg: bool
) -> dict:
    """Write the results of one radiograph to files whose names begin with `base`, and return its row."""
    found = model.segment(file, threshold)
    mask, segmentation = found.masks[structure], None
    if dicom_seg and _is_dicom(file):
        from cxrseg.segment import dicom_seg as writer  # importing pydicom takes a fifth of a second

        segmentation = writer.dicom_seg(file, found.masks, model.card)
    row = {
        "file": str(file),
        "width": found.image.shape[1],
        "height": found.image.shape[0],
        "left_px": found.left_px,
        "right_px": found.right_px,
        "heart_px": found.heart_px,
        "left_mm2": found.left_mm2,
        "right_mm2": found.right_mm2,
        "heart_mm2": found.heart_mm2,
        "left_to_right": round(found.left_px / found.right_px, 3) if found.right_px else "",
        "ctr": "" if found.ctr is None else round(found.ctr, 3),
        "ctr_refused": found.ctr_refused,
        "predicted_dice": round(found.predicted_dice, 4),
        "warning": found.warning,
        "structure": structure,
        "mask": f"{base.name}-mask.png",
        "overlay": f"{base.name}-overlay.jpg",
    }
    write_mask(mask, base.with_name(row["mask"]))
    picture = overlay(found.image, found.mask, found.masks.get("heart"), found.ctr is not None)
    picture.save(base.with_name(row["overlay"]), quality=90)
    if crop:
        row["crop"] = f"{base.name}-{structure}.png"
        cut_out(found.image, mask).save(base.with_name(row["crop"]), compress_level=1)
    if segmentation:
        row["dicom_seg"] = f"{base.name}-seg.dcm"
        segmentation.save_as(base.with_name(row["dicom_seg"]))
    return row
