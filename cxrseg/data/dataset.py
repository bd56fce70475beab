"""The prepared dataset: radiographs, reference masks and the split, opened without reading the pixels."""

import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cxrseg.files import read_csv, read_json


@dataclass(frozen=True)
class Dataset:
    """A prepared dataset, as `cxrseg.data.prepare.prepare` writes it.

    Attributes
    ----------
    images : (n, size, size) uint8 array, memory-mapped
        0 black to 255 white.
    masks : (n, size, size, structures) uint8 array of 0 and 1, memory-mapped
    cases : DataFrame
        ``cases.csv``: one row per case, in the order of the arrays.
    record : dict
        ``dataset.json``: counts, parameters, refused cases, near-duplicates, fingerprint.
    """

    images: np.ndarray
    masks: np.ndarray
    cases: pd.DataFrame
    record: dict

    @classmethod
    def load(cls, folder: Path) -> "Dataset":
        """Open the dataset in a folder.

        Raises
        ------
        FileNotFoundError
            There is no prepared dataset in `folder`.
        """
        folder = Path(folder)
        if not exists(folder):
            raise FileNotFoundError(f"{folder}: no prepared dataset here; run notebook 01-data (or `cxrseg run`) first")
        return cls(
            np.load(folder / "images.npy", mmap_mode="r"),
            np.load(folder / "masks.npy", mmap_mode="r"),
            read_csv(folder / "cases.csv", dtype={"case_id": str, "group": str, "label": str}, keep_default_na=False),
            read_json(folder / "dataset.json"),
        )

    @property
    def structures(self) -> list[str]:
        """The structures, in the order of the masks' last axis."""
        return self.record["structures"]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of pixels, masks, classes and folds: two datasets with one fingerprint are the same."""
        return self.record["fingerprint"]


def exists(folder: Path) -> bool:
    """Return whether a folder holds a prepared dataset."""
    return (Path(folder) / "dataset.json").is_file()


def take(array: np.ndarray, rows) -> np.ndarray:
    """Return rows of a memory-mapped array, and release the memory of what was read of it before.

    The system still caches what was read while it has room, but no longer counts it as memory of this process.
    A pass over a dataset therefore needs the same memory however large the dataset is.
    """
    if (mapped := getattr(array, "_mmap", None)) is not None:
        mapped.madvise(mmap.MADV_DONTNEED)
    return array[rows]
