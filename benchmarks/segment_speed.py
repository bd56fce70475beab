"""Measure the speed and memory of `cxrseg segment`: one file from a cold start, mixed formats, many JPEG files.

The files are phantoms. The mixed ones have the sizes and formats found in archives: 8- and 16-bit PNG, JPEG, BMP, TIFF
and DICOM, 256 to 2,048 pixels wide.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pydicom
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from cxrseg.phantom import LABELS, phantom
from cxrseg.publish.experiments import Experiment

KINDS = ("png", "jpg", "bmp", "tif", "png16", "dcm")
SIDES = (256, 512, 1024, 1024, 2048)
"""Kinds and widths of the mixed files, by turns."""


def measure(experiment: Experiment) -> dict:
    """Return the seconds of one file from a cold start, and the images per second of mixed and of JPEG files."""
    n_mixed, n_jpeg, side = (experiment.options[key] for key in ("mixed", "jpeg", "jpeg_size"))
    made = [phantom(1, k, LABELS[k % 3], 256).image for k in range(10)]
    with TemporaryDirectory() as name:
        mixed, jpeg, out = (Path(name, part) for part in ("mixed", "jpeg", "out"))
        mixed.mkdir()
        jpeg.mkdir()
        for n in range(n_mixed):
            width = SIDES[n % len(SIDES)]
            image = np.asarray(Image.fromarray(made[n % 10]).resize((width, width * 7 // 8)))
            write(image, KINDS[n % len(KINDS)], mixed / f"{n:03d}")
        for n in range(n_jpeg):
            Image.fromarray(made[n % 10]).resize((side, side)).save(jpeg / f"{n:04d}.jpg", quality=90)
        files = sorted(mixed.iterdir())
        alone = {file.suffix[1:]: min(segment([file], out)[0] for _ in range(3)) for file in (files[0], files[5])}
        return {
            "cold_start_s": alone,
            "mixed": rate(files, out, n_mixed // 2),
            "jpeg_size": side,
            "jpeg": rate(sorted(jpeg.iterdir()), out, n_jpeg // 10),
        }


def write(image: np.ndarray, kind: str, file: Path) -> None:
    """Write 8-bit grey levels in the given file format."""
    deep = image.astype(np.uint16) * 257
    if kind == "png16":
        Image.fromarray(deep).save(file.with_suffix(".png"), compress_level=1)
    elif kind == "dcm":
        dataset = pydicom.Dataset()
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.Rows, dataset.Columns = image.shape
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
        dataset.PixelSpacing = [0.2, 0.2]
        dataset.PixelData = (deep >> 4).tobytes()
        dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1", generate_uid()
        dataset.save_as(file.with_suffix(".dcm"), enforce_file_format=True)
    else:
        Image.fromarray(image).save(file.with_suffix(f".{kind}"))


def rate(files: list[Path], out: Path, few: int) -> dict:
    """Measure all files and the first few, of which the difference is free of the start-up.

    Two divided by the processor time of an image estimates the rate of two otherwise idle cores.
    """
    part, whole = (segment(files[:n], out) for n in (few, len(files)))
    seconds, processor = ((whole[k] - part[k]) / (len(files) - few) for k in range(2))
    return {
        "files": len(files),
        "seconds": whole[0],
        "images_per_second": 1 / seconds,
        "of_two_free_cores": 2 / processor,
        "peak_memory_mb": {"first_files": part[2], "all_files": whole[2]},
        "first_files": few,
    }


def segment(files: list[Path], out: Path) -> tuple[float, float, float]:
    """Return the wall-clock time and processor time in seconds, and the peak memory in MB, of one call.

    Raises
    ------
    RuntimeError
        The call failed.
    """
    command = [sys.executable, "-m", "cxrseg.cli", "segment", *map(str, files), "--out", str(out)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)  # knows the memory of this one process
    spent = time.perf_counter() - began
    if status:
        raise RuntimeError("cxrseg segment failed: its error is in the log")
    return spent, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
