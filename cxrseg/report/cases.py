"""Test cases of an evaluated run with their scores, radiographs, reference masks and probabilities."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from cxrseg import paths, runs
from cxrseg.data.dataset import Dataset
from cxrseg.evaluate.masks import ONE_PIECE, to_masks
from cxrseg.files import read_csv
from cxrseg.models import LUNGS, outputs


class TestCases(NamedTuple):
    """The test cases of a run for the first structure of its study, in ascending order of Dice.

    Attributes
    ----------
    table : DataFrame
        Rows of ``cases.csv``, with ``predicted_dice`` if the run has a ``quality.csv``, and with ``anchor``, a unique
        name of letters, digits, ``.``, ``_`` and ``-``.
    images : (m, size, size) uint8 array, memory-mapped
        Radiographs of the whole dataset, which are in the same order as its reference masks.
    masks : (m, size, size, structures) uint8 array of 0 and 1, memory-mapped
    levels : (n, size, size, structures) uint8 array, memory-mapped
        Probabilities in steps of 1/255.
    image_rows, level_rows : (n,) int arrays
        For each row of the table, its index in `images` and `masks`, and its index in `levels`.
    threshold, pieces, structures
        Parameters of `cxrseg.evaluate.masks.to_masks` with which the run was scored.
    """

    table: pd.DataFrame
    images: np.ndarray
    masks: np.ndarray
    levels: np.ndarray
    image_rows: np.ndarray
    level_rows: np.ndarray
    threshold: float
    pieces: int
    structures: list[str]

    def image(self, n: int) -> np.ndarray:
        """Return the radiograph of row `n` of the table, (size, size) uint8."""
        return self.images[self.image_rows[n]]

    def truth(self, n: int) -> np.ndarray:
        """Return the reference mask of row `n`, (size, size) bool."""
        return self.masks[self.image_rows[n], ..., 0] > 0

    def parts(self, n: int) -> tuple[list[np.ndarray], int]:
        """Return of what the mask of row `n` is made.

        Returns
        -------
        levels : list of (size, size) uint8 array
            Probabilities in steps of 1/255 of the first structure, or of each lung if both are known.
        pieces : int
            Number of largest pieces that are kept of each; 0 keeps all.
        """
        by_side = len(outputs(self.structures)) < len(self.structures)
        names = LUNGS if by_side else self.structures[:1]
        levels = [self.levels[self.level_rows[n], ..., self.structures.index(name)] for name in names]
        return levels, min(self.pieces, 1) if names[0] in ONE_PIECE else self.pieces

    def prediction(self, n: int) -> np.ndarray:
        """Return the scored mask of row `n`, (size, size) bool."""
        return to_masks(self.levels[self.level_rows[n]], self.threshold, self.pieces, self.structures)[..., 0]


def load_test_cases(run: str) -> TestCases:
    """Load the test cases of an evaluated run.

    Raises
    ------
    FileNotFoundError
        The run has not been evaluated.
    """
    evaluated = runs.summary(run)["parameters"]["evaluate"]
    folder = paths.run(run)
    rows = read_csv(folder / "cases.csv", dtype={"case_id": str, "label": str}, keep_default_na=False)
    table = rows[rows["structure"] == rows["structure"].iloc[0]].reset_index(drop=True)
    if (folder / "quality.csv").is_file():
        table["predicted_dice"] = read_csv(folder / "quality.csv")["predicted_dice"]  # same row order
    dataset = Dataset.load(paths.data(run))
    place = pd.Series(np.arange(len(dataset.cases)), index=dataset.cases["case_id"])
    table["anchor"] = _anchors(table["case_id"])
    order = np.argsort(table["dice"], kind="stable").to_numpy()
    return TestCases(
        table.iloc[order].reset_index(drop=True),
        dataset.images,
        dataset.masks,
        np.load(folder / "predictions.npy", mmap_mode="r"),
        place[table["case_id"].iloc[order]].to_numpy(),
        order,
        evaluated["threshold"],
        evaluated["pieces"],
        dataset.structures,
    )


def _anchors(names: pd.Series) -> list[str]:
    """Return a unique anchor of plain characters for each case, numbering duplicates."""
    anchors = {}
    for name in names.str.replace(r"[^A-Za-z0-9._-]+", "-", regex=True).str.lower():
        anchor, number = f"case-{name}", 1
        while anchor in anchors:
            number += 1
            anchor = f"case-{name}-{number}"
        anchors[anchor] = None
    return list(anchors)
