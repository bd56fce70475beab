"""The words by which people name folders and files of images and masks."""

import re
import unicodedata

IMAGE = {"image", "images", "img", "imgs", "cxr", "cxrs", "xray", "xrays", "radiograph", "radiographs", "png", "jpg"}
IMAGE |= {"picture", "pictures", "scan", "scans", "film", "films", "dicom", "dcm", "raw", "original", "jpegimages"}
MASK = {"mask", "masks", "label", "labels", "labelmap", "seg", "segs", "segmentation", "segmentations", "gt"}
MASK |= {"groundtruth", "groundtruths", "ground", "truth", "truths", "gts", "annotation", "annotations", "annot", "ann"}
MASK |= {"manual", "binary", "semantic", "target", "targets", "labelmaps", "segmentationclass", "segmentationobject"}
OTHER = {"all", "new", "my", "final", "resized", "cropped", "expert", "both", "pixel", "map", "maps", "obs", "class"}
"""Words beside the others that say nothing of what a folder holds."""

PARTS = {"train", "training", "tr", "val", "valid", "validation", "test", "testing", "ts", "stage", "fold1", "fold2"}
STRUCTURES = {
    "lung": "lungs", "lungs": "lungs", "lungfield": "lungs", "lungfields": "lungs",
    "right": "right_lung", "rightlung": "right_lung", "r": "right_lung",
    "left": "left_lung", "leftlung": "left_lung", "l": "left_lung",
    "heart": "heart", "infection": "infection", "rightclavicle": "right_clavicle", "leftclavicle": "left_clavicle",
}  # fmt: skip
"""Structures by the names that folders and files give them, in lower case and without separators."""


def words(name: str) -> list[str]:
    """Split a name into words and numbers in lower case: ``"leftMask_2"`` into ``["left", "mask", "2"]``."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFC", name))
    return re.findall(r"[^\W\d_]+|\d+", apart.casefold())


def structure_named(found: list[str], known: dict[str, str] | None = None) -> str:
    """Return the structure that words name, one of `STRUCTURES` or of those known besides, or an empty string."""
    for side in ("left", "right"):
        if side in found and set(found) <= {side, "lung", "lungs"}:
            return f"{side}_lung"
    if set(found) == {"both", "lungs"}:
        return "lungs"
    return (STRUCTURES | (known or {})).get("".join(found), "")


def unglued(word: str) -> list[str]:
    """Return ``trainmasks`` as *train masks* and ``lungmask`` as *lung mask*."""
    for first in (*PARTS, *STRUCTURES):
        if len(first) > 2 and word.startswith(first) and word.removeprefix(first) in MASK | IMAGE:
            return [first, word.removeprefix(first)]
    return [word]
