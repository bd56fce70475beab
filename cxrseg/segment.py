"""Segment one's own radiographs with an exported network: no Keras, no training, first mask in seconds."""

import csv
import glob
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from cxrseg import images, plausibility, quality
from cxrseg.inputs import network_input
from cxrseg.masks import keep_largest
from cxrseg.network import Network

COLUMNS = (
    "file", "width", "height", "left_px", "right_px", "left_mm2", "right_mm2", "left_to_right",
    "predicted_dice", "warning", "mask", "overlay", "crop",
)  # fmt: skip
"""Columns of ``segmentations.csv``. Left and right are the patient's: the left lung is on the image's right."""

OVERLAY_SIDE = 1024
"""Longest side of the overlay pictures, pixels: they are to be looked at; the mask has every pixel."""

TINT = np.array([0, 158, 115], np.float32)
"""Colour of the lungs in the overlay, sRGB: Okabe and Ito's bluish green."""


class Segmentation(NamedTuple):
    """What is found in one radiograph.

    Attributes
    ----------
    mask : (height, width) bool array
        The lungs, in the radiograph's own pixels.
    left, right : int
        Area of the patient's left lung, which is on the image's right, and of the right lung, pixels.
    predicted_dice : float
        How well the mask is expected to agree with one drawn by a person, 0 to 1: see `cxrseg.quality`.
    warning : str
        What is doubtful, empty where nothing is.
    """

    mask: np.ndarray
    left: int
    right: int
    predicted_dice: float
    warning: str


def segment(network: Network, image: np.ndarray, threshold: float | None = None) -> Segmentation:
    """Outline the lungs in one radiograph.

    Parameters
    ----------
    network : Network
    image : (height, width) uint8 array
        As `cxrseg.images.read_radiograph` returns it.
    threshold : float, optional
        Probability from which a pixel is lung; by default the network's own.

    Returns
    -------
    Segmentation
    """
    info = network.info
    threshold = info["threshold"] if threshold is None else threshold
    square = images.to_square(image, info["input_size"])
    inputs = network_input(square[None], info["input_size"], info["contrast"])
    probability = network.session.run(["probability"], {"image": inputs})[0][0, ..., 0]
    probability = keep_largest(probability, threshold, info.get("pieces", 0))
    mask = images.from_square(probability, image.shape) >= threshold
    right, left = sides(mask, probability)
    score = quality.predict(probability, square, threshold)
    small = images.from_square(probability, images.fitted(image.shape, info["input_size"])) >= threshold
    return Segmentation(
        mask, left, right, score, plausibility.warning(score, plausibility.objections(small, left, right))
    )


def sides(mask: np.ndarray, probability: np.ndarray) -> tuple[int, int]:
    """Return the area on the image's left and on its right, in pixels of the mask.

    Parameters
    ----------
    mask : (height, width) bool array
    probability : (size, size) float array
        On the square around the image, as the network sees it.
    """
    height, width = mask.shape
    side = max(height, width)
    border = round(plausibility.between_lungs(probability) * side) - (side - width) // 2
    border = min(max(border, 0), width)
    whole = int(np.count_nonzero(mask))
    on_left = int(np.count_nonzero(mask[:, :border]))
    return on_left, whole - on_left


def segment_files(
    network: Network,
    files: list[Path],
    folder: Path,
    threshold: float | None = None,
    crop: bool = False,
    workers: int | None = None,
) -> Iterator[tuple[Path, dict | str]]:
    """Segment radiographs and write, for each, a mask, an overlay and a row of ``segmentations.csv``.

    Parameters
    ----------
    network : Network
    files : list of Path
    folder : Path
        Receives ``<name>-mask.png`` (0 and 255, the radiograph's own pixels), ``<name>-overlay.jpg``,
        with `crop` ``<name>-lungs.png``, and ``segmentations.csv``.
    threshold : float, optional
        Probability from which a pixel is lung; by default the network's own.
    crop : bool
        Also cut the lungs out: what is not lung becomes black, and the rest is cut off.
    workers : int, optional
        Threads; by default as many as there are processor cores.

    Yields
    ------
    file : Path
    row : dict or str
        The row of the table, or one line that says why there is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = _names(files)
    with (
        # Line by line, so that an interruption cuts no row; a name that is no text is written as its bytes.
        open(
            folder / "segmentations.csv", "w", buffering=1, newline="", encoding="utf-8", errors="backslashreplace"
        ) as table,
        ThreadPoolExecutor(workers or os.cpu_count()) as pool,
    ):
        writer = csv.DictWriter(table, COLUMNS)
        writer.writeheader()
        # Only so many under way at a time: memory does not grow with the number of files.
        waiting, ahead = deque(), 2 * (workers or os.cpu_count())
        for file in [*files, *[None] * ahead]:
            if file:
                job = pool.submit(_segment_file, network, file, folder, names[file], threshold, crop)
                waiting.append((file, job))
            if waiting and (not file or len(waiting) > ahead):
                done, job = waiting.popleft()
                row = job.result()
                if isinstance(row, dict):
                    writer.writerow(row)
                yield done, row


def find_files(given: list[str], out: Path) -> tuple[list[Path], list[str]]:
    """Return the radiographs that files, folders and patterns name, and one line for each that names none.

    A folder stands for the pictures in it and below it; those in `out`, earlier results, are left out. A file named
    in full is taken whatever it is called, but not from `out`, where a result could take the place of a radiograph.
    """
    found, problems = {}, []
    for name in given:
        path = Path(name).expanduser()
        if path.is_dir():
            files = [file for file in sorted(path.rglob("*")) if _is_radiograph(file, out)]
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


def _is_radiograph(file: Path, out: Path) -> bool:
    if not file.is_file() or _within(file, out):
        return False
    if file.suffix.lower() in images.SUFFIXES:
        return True
    try:
        # As hospitals export them: DICOM named by a number, the last part of which looks like a suffix.
        with open(file, "rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _within(file: Path, folder: Path) -> bool:
    """Return whether a file lies directly in a folder, as results do."""
    return file.resolve().parent == folder.resolve()


def _names(files: list[Path]) -> dict[Path, str]:
    """Return a name for the results of each file: its own without the suffix, numbered from the second of a name on."""
    names, taken = {}, set()
    for file in files:
        # What follows the last dot of a number is no suffix.
        plain = file.stem if file.suffix.lower() in images.SUFFIXES else file.name
        name, number = plain, 1
        while name.lower() in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.lower())
        names[file] = name
    return names


def _segment_file(network, file: Path, folder: Path, name: str, threshold, crop: bool) -> dict | str:
    try:
        return _write_results(network, file, folder, name, threshold, crop)
    except (ValueError, OSError, MemoryError) as error:
        return str(error) or f"{file}: {type(error).__name__}"


def _write_results(network, file: Path, folder: Path, name: str, threshold, crop: bool) -> dict:
    image = images.read_radiograph(file)
    spacing = images.pixel_spacing(file)
    found = segment(network, image, threshold)
    row = {
        "file": str(file),
        "width": image.shape[1],
        "height": image.shape[0],
        "left_px": found.left,
        "right_px": found.right,
        "left_to_right": round(found.left / found.right, 3) if found.right else "",
        "predicted_dice": round(found.predicted_dice, 4),
        "warning": found.warning,
        "mask": f"{name}-mask.png",
        "overlay": f"{name}-overlay.jpg",
    }
    if spacing:
        pixel = spacing[0] * spacing[1]
        row |= {"left_mm2": round(found.left * pixel), "right_mm2": round(found.right * pixel)}
    # The weakest compression: a mask of flat areas is small anyhow, and it takes a tenth of the time.
    Image.fromarray(found.mask.view(np.uint8) * np.uint8(255)).save(folder / row["mask"], compress_level=1)
    overlay(image, found.mask).save(folder / row["overlay"], quality=90)
    if crop:
        row["crop"] = f"{name}-lungs.png"
        cut_out(image, found.mask).save(folder / row["crop"], compress_level=1)
    return row


def overlay(image: np.ndarray, mask: np.ndarray) -> Image.Image:
    """Return the radiograph with the lungs tinted and outlined, at most `OVERLAY_SIDE` pixels a side.

    Parameters
    ----------
    image : (height, width) uint8 array
    mask : (height, width) bool array
    """
    height, width = images.fitted(image.shape, min(OVERLAY_SIDE, max(image.shape)))
    grey = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2))
    inside = np.asarray(Image.fromarray(mask.view(np.uint8)).resize((width, height), Image.Resampling.NEAREST)) > 0
    padded = np.pad(inside, 2)
    core = padded[:-4, 2:-2] & padded[4:, 2:-2] & padded[2:-2, :-4] & padded[2:-2, 4:]
    tinted = np.arange(256)[:, None] * 0.75 + TINT * 0.25
    colours = np.stack([np.arange(256)[:, None].repeat(3, 1), tinted, np.tile(TINT, (256, 1))]).astype(np.uint8)
    part = inside.view(np.uint8) + (inside & ~core).view(np.uint8)  # 0 outside, 1 inside, 2 outline
    return Image.fromarray(colours[part, grey])


def cut_out(image: np.ndarray, mask: np.ndarray) -> Image.Image:
    """Return the lungs alone, black around them, cut to the rows and columns that they reach."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return Image.new("L", (1, 1))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return Image.fromarray(np.where(mask[part], image[part], np.uint8(0)))
