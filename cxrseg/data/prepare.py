"""Turn cases into a prepared dataset: check them, find near-duplicates, split them, and write the arrays."""

import hashlib
import json
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from cxrseg import provenance, runs
from cxrseg.config import NEVER_EMPTY, DataConfig
from cxrseg.data.cases import Case, check_name
from cxrseg.data.dataset import Dataset
from cxrseg.data.duplicates import describe, near_duplicates
from cxrseg.data.read.masks import MaskWarning
from cxrseg.data.sources import find_cases
from cxrseg.data.split import assign_folds, clusters
from cxrseg.data.square import mask_to_square, to_square
from cxrseg.files import digest, new_folder, state
from cxrseg.parallel import starmap


def prepare(config: DataConfig, folder: Path, workers: int | None = None) -> Dataset:
    """Read, check and split every case of a source, and write the prepared dataset.

    Unusable cases are refused by name, and the others are kept. Near-duplicates and cases of one patient share a
    fold. Images are written as they are read, so memory stays bounded.

    Parameters
    ----------
    config : DataConfig
    folder : Path
        Receives ``images.npy`` (n, size, size) uint8, ``masks.npy`` (n, size, size, structures)
        uint8 of 0 and 1, ``cases.csv`` and ``dataset.json``. It appears whole.
    workers : int, optional
        Processes that read cases; as many as there are cores by default.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        The source as a whole is unusable, too many cases were refused, a structure is in none of them, there are fewer
        independent cases than folds, or `folder` lies in a run with other parameters.
    """
    runs.admit(folder, data=config)
    began = time.monotonic()
    path = Path(config.path).expanduser()
    before = state(path) if config.path and path.exists() else ""
    cases = find_cases(config)
    if not cases:
        raise ValueError(f"{config.path or config.source}: no cases found")
    with new_folder(folder) as partial:
        table, refused, details, notes = _write_arrays(cases, config, partial, workers)
        _check_refused(refused, len(cases), config)
        for k, structure in enumerate(config.structures):
            # A share that is not 0 may be so when it is rounded.
            if not (table[f"{structure}_share"].any() or np.load(partial / "masks.npy", mmap_mode="r")[..., k].any()):
                raise ValueError(
                    f"{config.path or config.source}: no case has any {structure}; expected masks of it, or label maps "
                    "with its values (data.labels)"
                )
        twins = []
        if _may_repeat(config):
            coarse, fine = map(np.array, zip(*details, strict=True))
            twins = near_duplicates(coarse, fine)
        table["cluster"] = clusters(table, twins)
        table["fold"] = assign_folds(table["label"], table["cluster"], config.folds, config.seed)
        record = {
            "n_cases": len(table),
            "classes": table["label"].value_counts().sort_index().to_dict(),
            "structures": config.structures,
            "image_size": config.image_size,
            "parameters": config.model_dump(),
            "refused": refused,
            "notes": dict(notes),
            "duplicates": [
                {"a": table["case_id"][i], "b": table["case_id"][j], "correlation": round(r, 3)} for i, j, r in twins
            ],
            "fingerprint": _fingerprint(table),
            # Of the archive or folder, or of the table that lists the files.
            "source_state": before,
            "source_digest": digest(path) if before else "",
            "stage_code": provenance.stage_fingerprint("data", config.source),
            "seconds": round(time.monotonic() - began, 1),
        }
        table.to_csv(partial / "cases.csv", index=False)
        (partial / "dataset.json").write_text(json.dumps(record, indent=2) + "\n")
    return Dataset.load(folder)


class Checked(NamedTuple):
    """A case that was read and found usable.

    Attributes
    ----------
    image : (height, width) uint8 array
    masks : list of (height, width) bool array
        One for each structure.
    notes : set of str
        What a reader should know of how the masks were read, in the same words for all cases of one kind.
    """

    image: np.ndarray
    masks: list[np.ndarray]
    notes: set[str]


def read(case: Case, structures: list[str]) -> Checked:
    """Read a case and check it. A mask of another size but the same proportions is resized to its image.

    Raises
    ------
    ValueError, OSError
        A name cannot be written to a table as it is, a file cannot be read, a mask does not fit its image, the image is
        constant, or the mask is full, inverted or, where the structure may not be absent, empty.
    """
    for name in (case.case_id, case.label, case.group or ""):
        check_name(name)
    image = case.image()
    if image.min() == image.max():
        raise ValueError(f"the image is constant (every pixel {image.min()})")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MaskWarning)
        masks = [_checked(case.masks[structure](), image, structure) for structure in structures]
    return Checked(image, masks, {str(warning.message) for warning in caught})


def _checked(mask: np.ndarray, image: np.ndarray, structure: str) -> np.ndarray:
    if mask.shape != image.shape:
        mask = _fitted(mask, image, structure)
        warnings.warn("the mask has another size than the image, and was resized to it", MaskWarning, stacklevel=2)
    if structure == NEVER_EMPTY and not mask.any():
        raise ValueError(f"the {structure} mask is empty")
    if mask.all():
        raise ValueError(f"the {structure} mask covers the whole image")
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    if edge.mean() > 0.9:
        raise ValueError(
            f"the {structure} mask covers the edges and {mask.mean():.0%} of the image; "
            "expected the structure to be bright: is the mask inverted?"
        )
    if structure == "lungs" and not 0.02 < mask[:, : mask.shape[1] // 2].sum() / mask.sum() < 0.98:
        warnings.warn("the mask lies on one side of the image: only one lung?", MaskWarning, stacklevel=2)
    return mask


def _fitted(mask: np.ndarray, image: np.ndarray, structure: str) -> np.ndarray:
    """Return a mask at the size of its image, if both have the same proportions within one pixel."""
    (height, width), (rows, columns) = image.shape, mask.shape
    if abs(height * columns - width * rows) > max(rows, columns, height, width):
        raise ValueError(
            f"the {structure} mask is {_size(mask)} pixels, the image {_size(image)}: expected the same proportions"
        )
    if 8 * rows < height:
        raise ValueError(f"the {structure} mask is {_size(mask)} pixels, far fewer than the image's {_size(image)}")
    grey = Image.fromarray(mask.view(np.uint8) * np.uint8(255))
    return np.asarray(grey.resize((width, height), Image.Resampling.BILINEAR)) >= 128


def _read(case: Case, config: DataConfig) -> dict | str:
    """Read and check one case; return its row and arrays, or the reason why it is refused."""
    try:
        image, masks, notes = read(case, config.structures)
    except (ValueError, OSError) as error:
        return str(error)
    square = to_square(image, config.image_size)
    stack = np.stack([mask_to_square(mask, config.image_size) for mask in masks], axis=-1).astype(np.uint8)
    row = {
        "case_id": case.case_id,
        "label": case.label,
        "group": case.group or "",
        "width": image.shape[1],
        "height": image.shape[0],
        "original_sha256": hashlib.sha256(image.tobytes()).hexdigest(),
        "sha256": hashlib.sha256(square.tobytes()).hexdigest(),
        "mask_sha256": hashlib.sha256(stack.tobytes()).hexdigest(),
    }
    for k, structure in enumerate(config.structures):
        row[f"{structure}_share"] = round(float(stack[..., k].mean()), 4)
    return {
        "row": row,
        "notes": notes,
        "image": square,
        "masks": stack,
        "detail": describe(square) if _may_repeat(config) else None,
    }


def _may_repeat(config: DataConfig) -> bool:
    """Return whether near-duplicates are possible. Phantoms differ by construction, and may be 100,000."""
    return config.source != "phantom"


def _write_arrays(cases: list[Case], config: DataConfig, folder: Path, workers: int | None):
    size, structures = config.image_size, len(config.structures)
    rows, refused, details = [], [], []
    notes: Counter[str] = Counter()
    if workers is None and len(cases) < 32:
        workers = 1  # starting processes takes longer
    results = starmap(_read, ((case, config) for case in cases), workers)
    began = time.monotonic()
    with open(folder / "images.npy", "wb") as image_file, open(folder / "masks.npy", "wb") as mask_file:
        _header(image_file, (0, size, size))
        _header(mask_file, (0, size, size, structures))
        for done, (case, result) in enumerate(zip(cases, results, strict=True), start=1):
            if isinstance(result, str):
                refused.append({"case_id": case.case_id, "reason": result})
            else:
                rows.append(result["row"])
                image_file.write(result["image"].tobytes())
                mask_file.write(result["masks"].tobytes())
                details.append(result["detail"])
                notes.update(result["notes"])
            if done % max(1, len(cases) // 5) == 0 or done == len(cases):
                print(f"prepared {done:,} of {len(cases):,} cases in {time.monotonic() - began:.0f} s", flush=True)
        # NumPy pads the header, so the number of cases can be filled in last.
        _header(image_file, (len(rows), size, size))
        _header(mask_file, (len(rows), size, size, structures))
    for note, count in notes.items():
        print(f"note: {count:,} of {len(cases):,} cases: {note}", flush=True)
    return pd.DataFrame(rows), refused, details, notes


def _header(file, shape: tuple) -> None:
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _check_refused(refused: list[dict], total: int, config: DataConfig) -> None:
    if len(refused) == total or len(refused) > config.max_refused * total:
        first = "; ".join(f"{case['case_id']}: {case['reason']}" for case in refused[:3])
        raise ValueError(
            f"{len(refused)} of {total} cases cannot be used (data.max_refused allows {config.max_refused:.0%}): "
            f"{first}{'; …' if len(refused) > 3 else ''}"
        )


def _fingerprint(table: pd.DataFrame) -> str:
    """Return a digest of all that training and scoring depend on: pixels, masks, classes and folds, in order."""
    content = table[["label", "fold", "sha256", "mask_sha256"]].to_csv(index=False)
    return hashlib.sha256(content.encode()).hexdigest()


def _size(array: np.ndarray) -> str:
    return f"{array.shape[1]} x {array.shape[0]}"
