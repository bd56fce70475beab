"""Small folders in the layouts in which the named sets are published, made of phantoms."""

import io
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from pictures import saved
from PIL import Image
from samples import unpacked
from scipy.ndimage import zoom
from skimage.measure import find_contours

from cxrseg.phantom import phantom

N = 4
PATIENTS = (1, 1, 2, 3, 4, 5)


@lru_cache
def drawn(k: int):
    """Return the image and the masks of the right and the left lung of phantom k, 256 pixels wide."""
    made = phantom(7, k, "Normal", 256)
    columns = np.arange(256) < 128
    return made.image, made.lungs & columns, made.lungs & ~columns


def png(values) -> bytes:
    return saved(Image.fromarray(np.asarray(values).astype(np.uint8)), "PNG")


def gif(mask) -> bytes:
    return saved(Image.fromarray(mask.astype(np.uint8) * 255), "GIF")


def jsrt(folder: Path) -> Path:
    """Write 12 bits in 16, big-endian, 0 white, 2048 pixels wide, and GIF masks of 1024 pixels in two folds."""
    members = {}
    for k in range(N):
        image, right, left = drawn(k)
        name = f"JPC{'LN' if k % 2 else 'NN'}{k + 1:03d}"
        large = zoom(4095 - image.astype(np.uint16) * 16, 8, order=0)
        members[f"All247images/{name}.IMG"] = large.astype(">u2").tobytes()
        where = f"scr/fold{k % 2 + 1}/masks"
        masks = {"right lung": right, "left lung": left, "left clavicle": left, "right clavicle": right}
        for structure, mask in (masks | {"heart": right & left}).items():
            members[f"{where}/{structure}/{name}.gif"] = gif(np.kron(mask, np.ones((4, 4), bool)))
    return unpacked(folder, members)


def montgomery(folder: Path) -> Path:
    members = {}
    for k in range(N):
        image, right, left = drawn(k)
        name = f"MontgomerySet/{{}}/MCUCXR_{k + 1:04d}_{k % 2}"
        members[name.format("CXR_png") + ".png"] = png(image)
        members[name.format("ManualMask/rightMask") + ".png"] = saved(Image.fromarray(right), "PNG")
        members[name.format("ManualMask/leftMask") + ".png"] = saved(Image.fromarray(left), "PNG")
        members[name.format("ClinicalReadings") + ".txt"] = b"Patient's Sex: F\nPatient's Age: 027Y\nnormal\n"
    return unpacked(folder, members)


def shenzhen(folder: Path) -> Path:
    """Write one image more than there are masks."""
    members = {}
    for k in range(N + 1):
        image, right, left = drawn(k)
        name = f"CHNCXR_{k + 1:04d}_{k % 2}"
        members[f"ChinaSet_AllFiles/CXR_png/{name}.png"] = saved(Image.fromarray(image).convert("RGB"), "PNG")
        if k < N:
            members[f"mask/{name}_mask.png"] = png((right | left) * 255)
    return unpacked(folder, members)


def polygon(mask) -> list[dict]:
    """Return the outline of a mask as points that Darwin JSON holds."""
    outline = max(find_contours(np.pad(mask, 1), 0.5), key=len) - 1
    return [{"x": float(x), "y": float(y)} for y, x in outline]


def darwin(folder: Path) -> Path:
    """Write Darwin JSON of both versions, and a lateral image without a lung."""
    tags = ["COVID-19", "Viral Pneumonia", "No Pneumonia (healthy)", "Bacterial Pneumonia", "Lateral"]
    members = {}
    for k in range(N + 1):
        image, right, left = drawn(k)
        members[f"images/{k}.png"] = png(image)
        paths = [polygon(right), polygon(left)] if k < N else []
        annotations = [{"name": tags[k], "tag": {}}]
        if k % 2:
            annotations += [{"name": "Lung", "polygon": {"path": path}} for path in paths]
            content = {"image": {"width": 256, "height": 256, "filename": f"{k}.png"}, "annotations": annotations}
        else:
            annotations += [{"name": "Lung", "polygon": {"paths": [path]}} for path in paths]
            slots = [{"slot_name": "0", "width": 256, "height": 256}]
            content = {"version": "2.0", "item": {"name": f"{k}.png", "slots": slots}, "annotations": annotations}
        members[f"releases/all-images/annotations/{k}.json"] = json.dumps(content).encode()
    return unpacked(folder, members)


def runs(mask) -> str:
    """Return the run-length code of a mask: first pixel, from 1, and length, row by row."""
    flat = np.concatenate([[0], mask.ravel().astype(int), [0]])
    starts, ends = np.flatnonzero(np.diff(flat) == 1), np.flatnonzero(np.diff(flat) == -1)
    return " ".join(f"{start + 1} {end - start}" for start, end in zip(starts, ends, strict=True))


def chexmask(folder: Path) -> Path:
    """Write a table of ChestX-ray8 with one mask of poor quality and one image that is not there."""
    import pandas as pd

    members, rows = {}, []
    for k in range(N + 2):
        image, right, left = drawn(k)
        name = f"{PATIENTS[k]:08d}_{k:03d}.png"
        if k <= N:
            members[f"images_001/images/{name}"] = png(image)
        rows.append(
            {
                "Image Index": name, "Dice RCA (Mean)": 0.5 if k == N else 0.9, "Dice RCA (Max)": 0.95,
                "Landmarks": "[[1 2]\n [3 4]]", "Left Lung": runs(left), "Right Lung": runs(right),
                "Heart": runs(left & False), "Height": 256, "Width": 256,
            }
        )  # fmt: skip
    table = io.BytesIO()
    pd.DataFrame(rows).to_csv(table, index=False)
    return unpacked(folder, members | {"OriginalResolution/ChestX-Ray8.csv": table.getvalue()})


def table(folder: Path) -> Path:
    members, rows = {}, ["Image;Mask;Class;Patient"]
    for k in range(N):
        image, right, left = drawn(k)
        members |= {f"films/{k}.png": png(image), f"drawn/{k}.png": png((right | left) * 255)}
        rows.append(f"films/{k}.png;drawn/{k}.png;{'covid-19' if k % 2 else 'TB'};p{PATIENTS[k]}")
    return unpacked(folder, members | {"list.csv": "\n".join(rows).encode()}) / "list.csv"


SETS = {
    "jsrt": jsrt,
    "montgomery": montgomery,
    "shenzhen": shenzhen,
    "darwin": darwin,
    "chexmask": chexmask,
    "csv": table,
}
