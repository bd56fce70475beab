"""Measure the speed and memory of `cxrseg segment`: one file from a cold start, mixed formats, many JPEG files.

    python benchmarks/segment_speed.py [RUN]

The files are phantoms. The mixed ones have the sizes and formats found in archives: 8- and 16-bit PNG, JPEG, BMP, TIFF
and DICOM, 256 to 2,048 pixels wide. RUN is an exported run. The default is the model that comes with cxrseg.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from cxrseg.phantom import LABELS, phantom

SIDES = (256, 512, 1024, 1024, 2048)
N = 200
MANY, SIDE = 2000, 1024


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


def measure(run: str, files: list[Path], out: Path) -> tuple[float, float, float]:
    """Return the wall-clock time and processor time in seconds, and the peak memory in MB, of one call."""
    command = [sys.executable, "-m", "cxrseg.cli", "segment", *map(str, files), "--out", str(out), "--run", run]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"cxrseg segment failed: {status}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main(run: str = "default") -> None:
    """Print the results as JSON."""
    kinds = ("png", "jpg", "bmp", "tif", "png16", "dcm")
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder, "files")
        files.mkdir()
        made = [phantom(1, k, LABELS[k % 3], 256).image for k in range(10)]
        for n in range(N):
            side = SIDES[n % len(SIDES)]
            image = np.asarray(Image.fromarray(made[n % 10]).resize((side, side * 7 // 8)))
            write(image, kinds[n % len(kinds)], files / f"{n:03d}")
        paths = sorted(files.iterdir())
        out = Path(folder, "out")
        one = [min(measure(run, [file], out)[0] for _ in range(3)) for file in (paths[0], paths[5])]
        mixed = rate(run, paths, out, N // 2)
        jpeg = Path(folder, "jpeg")
        jpeg.mkdir()
        for n in range(MANY):
            Image.fromarray(made[n % 10]).resize((SIDE, SIDE)).save(jpeg / f"{n:04d}.jpg", quality=90)
        many = rate(run, sorted(jpeg.iterdir()), out, MANY // 10)
    from cxrseg import hardware

    result = {
        "run": run,
        "cold_start_s": {"png": round(one[0], 2), "dcm": round(one[1], 2)},
        "mixed": mixed,
        "jpeg_1024": many,
        "hardware": hardware.describe(),
    }
    print(json.dumps(result, indent=1))


def rate(run: str, files: list[Path], out: Path, few: int) -> dict:
    """Measure all files and the first few, of which the difference is free of the start-up.

    Two divided by the processor time of an image estimates the rate of two otherwise idle cores.
    """
    part, whole = (measure(run, files[:n], out) for n in (few, len(files)))
    seconds, processor = ((whole[k] - part[k]) / (len(files) - few) for k in range(2))
    return {
        "files": len(files),
        "seconds": round(whole[0], 2),
        "images_per_second": round(1 / seconds, 1),
        "of_two_free_cores": round(2 / processor, 1),
        "peak_memory_mb": {few: round(part[2]), len(files): round(whole[2])},
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
