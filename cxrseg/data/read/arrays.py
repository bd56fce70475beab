"""Read masks that do not come as pictures: NumPy arrays, NIfTI and DICOM segmentations."""

import gzip
import io
import zipfile
from collections.abc import Iterable
from typing import BinaryIO

import numpy as np

from cxrseg.data.cases import plain
from cxrseg.data.read.images import MAX_BYTES, Source, opened, unreadable
from cxrseg.data.words import MASK, structure_named, words
from cxrseg.models import LUNGS

SEGMENTATION = b"1.2.840.10008.5.1.4.1.1.66.4"
"""SOP class of a DICOM segmentation, as the file header holds it."""

_EXPECTED = "expected one (height, width) mask"


def read_array(file: Source, name: str, structure: str) -> np.ndarray | None:
    """Read the mask of one structure from an NPY, NPZ or NIfTI file or from a DICOM segmentation.

    Arrays or segments named after the structure are taken. Lungs are also the union of a right and a left lung. A
    single one whose name says no structure is taken for any. A NIfTI file holds columns first, and its affine says
    where its axes point; with the identity it holds an array as it was given.

    Parameters
    ----------
    file : path, bytes or binary file object
    name : str
        What errors call the file.
    structure : str

    Returns
    -------
    (height, width) array or None
        The values as stored. None if the file is of another kind.

    Raises
    ------
    ValueError
        One line that names the file: damaged, not one mask, NaN or infinity in it, no array or segment of the
        structure, or nibabel missing.
    """
    arrays = _arrays(file, name)
    if arrays is None:
        return None
    chosen = _chosen(arrays, structure)
    if not chosen:
        raise ValueError(f"{name}: holds {', '.join(arrays) or 'nothing'}; expected a mask of the {structure}")
    values = [np.squeeze(array) for array in chosen]
    if any(array.ndim != 2 or array.dtype.kind not in "buif" for array in values):
        shown = ", ".join(f"{array.dtype} of shape {array.shape}" for array in chosen)
        raise ValueError(f"{name}: holds {shown}; {_EXPECTED}")
    if len({array.shape for array in values}) > 1:
        raise ValueError(f"{name}: the masks of the {structure} differ in size; {_EXPECTED}")
    merged = np.maximum.reduce(values)
    if not np.isfinite(merged).all():
        raise ValueError(f"{name}: holds NaN or infinity; {_EXPECTED} of 0 and 1")
    return merged.astype(np.uint8) if merged.dtype == bool else merged


def structures_named_in(file: Source, name: str, structures: Iterable[str]) -> list[str]:
    """Return those of some structures after which arrays or segments of a file are named.

    Raises
    ------
    ValueError
        One line that names the file: damaged.
    """
    arrays = _arrays(file, name) or {}
    return [structure for structure in structures if _named(arrays, structure)]


def _arrays(file: Source, name: str) -> dict[str, np.ndarray] | None:
    """Return the arrays or segments of a file by their names, or None if it is of another kind."""
    with opened(file, name) as stream:
        head = stream.read(1024)
        stream.seek(0)
        readers = (
            (head.startswith(b"\x93NUMPY"), _numpy),
            (head.startswith((b"PK\x03\x04", b"PK\x05\x06")), _archive),
            (head[344:348] in (b"n+1\0", b"ni1\0") or head.startswith(b"\x1f\x8b"), _nifti),
            (SEGMENTATION in head, _segmentation),
        )
        reader = next((reader for fits, reader in readers if fits), None)
        if not reader:
            return None
        try:
            data = stream.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise ValueError(f"more than {MAX_BYTES:,} bytes")
            return reader(io.BytesIO(data))
        except ModuleNotFoundError as error:
            raise ValueError(f"{name}: {error.name} is not installed: pip install 'cxrseg[nifti]'") from None
        except Exception as error:
            raise unreadable(name, error) from error


def _chosen(arrays: dict[str, np.ndarray], structure: str) -> list[np.ndarray]:
    if named := _named(arrays, structure):
        return named
    of_none = {key: array for key, array in arrays.items() if not _structure(key, structure)}
    masks = [array for key, array in of_none.items() if set(words(key)) & MASK]
    return list(of_none.values()) if len(arrays) == 1 else masks if len(masks) == 1 else []


def _named(arrays: dict[str, np.ndarray], structure: str) -> list[np.ndarray]:
    """Return the arrays named after a structure, or after both of its sides."""
    own, right, left = (
        [array for key, array in arrays.items() if _structure(key, structure) == name] for name in (structure, *LUNGS)
    )
    return own or (right + left if structure == "lungs" and right and left else [])


def _structure(key: str, asked: str) -> str:
    """Return the structure that a name says, one of those known or the one that is asked for, or an empty string."""
    return structure_named([word for word in words(key) if word not in MASK], {plain(asked): asked})


def _numpy(stream: BinaryIO) -> dict[str, np.ndarray]:
    return {"one array": np.load(stream, allow_pickle=False)}


def _archive(stream: BinaryIO) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(stream) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
            raise ValueError(f"unpacks to more than {MAX_BYTES:,} bytes")
    stream.seek(0)
    with np.load(stream, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def _nifti(stream: BinaryIO) -> dict[str, np.ndarray]:
    import nibabel

    data = stream.read()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.GzipFile(fileobj=io.BytesIO(data)).read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError(f"unpacks to more than {MAX_BYTES:,} bytes")
    image = nibabel.Nifti1Image.from_bytes(data)
    stored = np.asanyarray(image.dataobj)
    values = np.squeeze(stored)
    if np.allclose(image.affine[:2, :2], np.eye(2)) or values.ndim != 2:  # nothing is known: an array as it was given
        return {"one image": values}
    # What a step along each axis adds to the patient's coordinates, which grow to the right, to the front and up.
    steps = image.affine[:3, [axis for axis, length in enumerate(stored.shape) if length > 1]]
    main = np.abs(steps).argmax(axis=0)
    if main[1] == 0:
        steps, main, values = steps[:, ::-1], main[::-1], values.T
    if main[0] != 0 or main[1] == 0:
        raise ValueError("its affine says neither axis, or both, to run from side to side")
    # The axes of a picture run to the patient's left and down, which is towards negative coordinates.
    right, up = steps[0, 0] > 0, steps[main[1], 1] > 0
    return {"one image": values.T[:: -1 if up else 1, :: -1 if right else 1]}


def _segmentation(stream: BinaryIO) -> dict[str, np.ndarray]:
    """Return the segments by their labels (DICOM PS3.3, C.8.20)."""
    import pydicom

    dataset = pydicom.dcmread(stream)
    frames = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
    labels = {int(item.SegmentNumber): str(item.SegmentLabel) for item in dataset.SegmentSequence}
    shared = dataset.get("SharedFunctionalGroupsSequence")
    groups = dataset.get("PerFrameFunctionalGroupsSequence") or [shared[0]] * len(frames)
    segments: dict[str, np.ndarray] = {}
    for frame, group in zip(frames, groups, strict=True):
        where = group if "SegmentIdentificationSequence" in group else shared[0]
        label = labels[int(where.SegmentIdentificationSequence[0].ReferencedSegmentNumber)]
        if label in segments:
            raise ValueError(f"{label} has several frames")
        segments[label] = frame
    return segments
