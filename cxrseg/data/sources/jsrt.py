"""JSRT, the radiographs of the Japanese Society of Radiological Technology, with the outlines of SCR.

Shiraishi et al., Development of a digital image database for chest radiographs with and without a lung nodule,
AJR 174:71-74, 2000; van Ginneken, Stegmann & Loog, Segmentation of anatomical structures in chest radiographs using
supervised methods, Medical Image Analysis 10:19-40, 2006 (SCR).

Layout: ``…/JPCLN001.IMG`` … ``JPCNN093.IMG``, and ``…/masks/{right lung,left lung,heart,right clavicle,left
clavicle}/*.gif``, in SCR's folders ``fold1`` and ``fold2``. An image has 2048 x 2048 pixels of 16 bits, big-endian and
without a header. They hold 12 bits, and 0 is white. A mask has 1024 x 1024 pixels. The pixels of an image are 0.175 mm
wide. Left and right are the patient's. Patients are not identified.
"""

from pathlib import Path, PurePosixPath

import numpy as np

from cxrseg.config import DataConfig
from cxrseg.data.cases import About, Case, plain
from cxrseg.data.pairing import Image, check_known, pair, sample_cases
from cxrseg.data.read import archive
from cxrseg.data.read.images import to_8_bit

ABOUT = About(
    "247",
    "research, after registration, images and outlines alike",
    "download the images from db.jsrt.or.jp and the outlines from SCR, and unpack both into one folder",
    "the lungs exclude what lies behind heart and diaphragm; drawn by observers of SCR",
)
SIDE = 2048
STRUCTURES = ("lungs", "right_lung", "left_lung", "heart", "right_clavicle", "left_clavicle")

_EXPECTED = "a folder or ZIP with JSRT's *.IMG and SCR's masks/<structure>/*.gif"


def cases(config: DataConfig) -> list[Case]:
    """List the cases of JSRT.

    Parameters
    ----------
    config : DataConfig
        `path` names a folder or ZIP that holds images and outlines; `structures`, `cases_per_class` and `seed` are
        used.

    Returns
    -------
    list of Case
        By name. The class is ``Nodule`` (JPCLN…) or ``Normal`` (JPCNN…).

    Raises
    ------
    ValueError
        No such data, an unknown structure or class, or too few cases of a class.
    """
    check_known("data.structures (source jsrt)", config.structures, STRUCTURES)
    path = archive.existing(config.path, "jsrt", _EXPECTED)
    by_plain = {plain(structure): structure for structure in STRUCTURES}
    found: list[Image] = []
    masks: dict[str, dict[tuple, list[str]]] = {}
    for name in map(PurePosixPath, archive.list_files(path)):
        key = (name.stem.upper(),)
        if not name.stem.upper().startswith("JPC"):
            continue
        if name.suffix.upper() == ".IMG":
            found.append(Image(key, "Nodule" if "JPCLN" in key[0] else "Normal", name.stem, str(name)))
        elif name.suffix.lower() in (".gif", ".png") and (structure := by_plain.get(plain(name.parent.name))):
            masks.setdefault(structure, {}).setdefault(key, []).append(str(name))
    if not found:
        raise ValueError(f"{path}: holds no *.IMG of JSRT; expected {_EXPECTED}")
    return sample_cases(pair(path, found, masks, _EXPECTED, config.structures, read=read_img, spacing=spacing), config)


def spacing(path: Path, name: str) -> tuple[float, float]:
    """Return the spacing of rows and columns, which all images share, in millimetres."""
    return 0.175, 0.175


def read_img(path: Path, name: str) -> np.ndarray:
    """Read an image of JSRT as `cxrseg.data.read.images.read_radiograph` reads deep images.

    Returns
    -------
    numpy.ndarray
        (2048, 2048) uint8, 0 black to 255 white.

    Raises
    ------
    ValueError
        The file has another length.
    """
    content = archive.content(path, name)
    if len(content) != 2 * SIDE**2:
        raise ValueError(
            f"{path}/{name}: has {len(content):,} bytes; expected {2 * SIDE**2:,} of 2048 x 2048 pixels of 16 bits"
        )
    return 255 - to_8_bit(np.frombuffer(content, ">u2").reshape(SIDE, SIDE))
