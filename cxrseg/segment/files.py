"""Segment many files on all cores, and write masks, overlays and one table."""

import fcntl
import glob
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from cxrseg.data.read.images import SUFFIXES, is_dicom, opened
from cxrseg.files import walk, write_together
from cxrseg.segment import table
from cxrseg.segment.model import Model
from cxrseg.segment.overlay import cut_out, overlay, write_mask
from cxrseg.terminal import one_line, plain


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
        The network does not segment this structure, or the table of the output folder was changed by hand.
    RuntimeError
        Another process writes into the output folder.
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
    with _alone(folder), ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        known = table.read(folder)
        names = _names(files, folder, known)
        table.write(known.values(), folder)
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
                    table.add(row, folder)
                yield done, row
        table.write(table.read(folder).values(), folder)  # without the rows that have been replaced


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a lock of a folder, which leaves no file in it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network drives know no locks
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RuntimeError(
                    f"another process writes into {folder}: wait for it, or choose another --out"
                ) from None
        yield
    finally:
        os.close(handle)


def find_files(given: list[str], out: Path) -> tuple[list[Path], list[str]]:
    """Find the radiographs given as files, folders and patterns, and return them with one line per problem.

    A folder is searched recursively, except for files directly in `out`, which are earlier results. A file given by
    name is accepted with any suffix, but not if it lies in `out`, where a result could overwrite it.
    """
    found: dict[Path, None] = {}
    problems: list[str] = []
    for name in given:
        path = Path(name) if os.path.lexists(name) else Path(os.path.expanduser(name))
        if path.is_dir():
            files = _in_folder(path, out, problems)
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


def _in_folder(folder: Path, out: Path, problems: list[str]) -> list[Path]:
    """Return the radiographs in a folder, and add a line for each part of it that cannot be read."""
    errors: list[OSError] = []
    seen = [file for file in walk(folder, errors.append) if not _hidden(file, folder) and not _within(file, out)]
    hidden = [error for error in errors if _hidden(Path(error.filename), folder)]
    problems += [f"{error.filename}: {error.strerror}" for error in errors if error not in hidden]
    problems += [f"{file}: a link to nothing" for file in seen if _has_known_suffix(file) and not file.exists()]
    results = {file.parent for file in seen if file.name == table.NAME}
    for place in sorted(results):
        print(plain(one_line(f"left out: {place}, which holds results of an earlier call")))
    return [
        file
        for file in seen
        if file.parent not in results and file.is_file() and (_has_known_suffix(file) or _has_dicom_prefix(file))
    ]


def _hidden(file: Path, folder: Path) -> bool:
    """Return whether a file below a folder is one that a Mac or a program keeps for itself, as ``._film.png`` is."""
    return any(part.startswith((".", "__MACOSX")) for part in file.relative_to(folder).parts)


def _has_known_suffix(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES


def _has_dicom_prefix(file: Path) -> bool:
    """Return whether a file begins as DICOM; hospitals name it by its UID, whose last part looks like a suffix."""
    try:
        with open(file, "rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _within(file: Path, folder: Path) -> bool:
    """Return whether a file lies directly in a folder, as the results do."""
    return os.path.dirname(os.path.realpath(file)) == os.path.realpath(folder)  # a link to itself stops neither


def _names(files: list[Path], folder: Path, known: dict[str, dict]) -> dict[Path, str]:
    """Return a name for the results of each file: that of its earlier results, or its stem, if need be with a number.

    Parameters
    ----------
    files : list of Path
    folder : Path
        Where the results are written.
    known : dict of str to dict
        The rows of the folder's table.
    """
    earlier = {path: row["mask"].removeprefix("./").removesuffix("-mask.png") for path, row in known.items()}
    taken = {name.lower() for name in earlier.values()}
    if not known:  # masks of a table that was moved away
        taken = {file.name.removesuffix("-mask.png").lower() for file in folder.glob("*-mask.png")}
    names = {}
    for file in files:
        # The last part of a UID is not a suffix.
        stem = file.stem if _has_known_suffix(file) else file.name
        name, number = stem, 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}-{number}"
        names[file] = earlier.get(table.key(file), name)
        taken.add(names[file].lower())
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
    if not file.is_absolute():
        row["folder"] = os.getcwd()
    picture = overlay(found.image, found.mask, found.masks.get("heart"), found.ctr is not None)
    wanted: dict[str, Callable[[Path], object]] = {
        row["mask"]: partial(write_mask, mask),
        row["overlay"]: partial(picture.save, quality=90),
    }
    if crop:
        row["crop"] = f"{base.name}-{structure}.png"
        wanted[row["crop"]] = partial(cut_out(found.image, mask).save, compress_level=1)
    if segmentation:
        row["dicom_seg"] = f"{base.name}-seg.dcm"
        wanted[row["dicom_seg"]] = segmentation.save_as
    write_together({base.with_name(name): write for name, write in wanted.items()})
    return row
