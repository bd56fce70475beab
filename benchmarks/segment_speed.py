"""Measure the speed and memory of `cxrseg segment`: one file from a cold start, then 200 files of mixed formats.

    python benchmarks/segment_speed.py [RUN]

The files are phantoms in sizes and formats found in archives: 8- and 16-bit PNG, JPEG, BMP, TIFF and DICOM, 256 to
2,048 pixels wide. RUN is an exported run. The default is the model that comes with cxrseg.
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
        half, whole = (measure(run, paths[:n], out) for n in (N // 2, N))
    # The difference between 100 and 200 files excludes start-up. Two divided by the processor time per image
    # estimates the rate of two otherwise idle cores.
    seconds, processor = ((whole[k] - half[k]) / (N - N // 2) for k in range(2))
    from cxrseg import hardware

    result = {
        "run": run,
        "cold_start_s": {"png": round(one[0], 2), "dcm": round(one[1], 2)},
        "seconds": {N // 2: round(half[0], 2), N: round(whole[0], 2)},
        "images_per_second": round(1 / seconds, 1),
        "images_per_second_of_two_free_cores": round(2 / processor, 1),
        "peak_memory_mb": {N // 2: round(half[2]), N: round(whole[2])},
        "hardware": hardware.describe(),
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
