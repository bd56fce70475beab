"""From cases to a dataset: checked, de-duplicated, split, written whole or not at all."""

import hashlib
import json
import mmap
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cxrseg import images
from cxrseg.config import MAY_BE_EMPTY, DataConfig
from cxrseg.duplicates import describe, near_duplicates
from cxrseg.parallel import starmap
from cxrseg.sources import Case, find_cases


def prepare(config: DataConfig, folder: Path, workers: int | None = None) -> dict:
    """Read, check and split every case of a source, and write the prepared dataset.

    Cases that cannot be used are refused by name and the rest go on. Near-duplicates and cases of
    one patient share a fold. Memory stays bounded: images are written as they come.

    Parameters
    ----------
    config : DataConfig
    folder : Path
        Receives ``images.npy`` (n, size, size) uint8, ``masks.npy`` (n, size, size, structures)
        uint8 of 0 and 1, ``cases.csv`` and ``dataset.json``. Written beside it first and then
        renamed, so that a reader sees all of it or none.
    workers : int, optional
        Processes that read cases; as many as there are cores by default.

    Returns
    -------
    dict
        The content of ``dataset.json``.

    Raises
    ------
    ValueError
        The source as a whole is unusable, too many cases were refused, or there are fewer
        independent cases than folds.
    """
    began = time.monotonic()
    cases = find_cases(config)
    if not cases:
        raise ValueError(f"{config.path or config.source}: no cases found")
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f"{folder.name}.partial")
    for left in (partial, _aside(folder)):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    partial.mkdir()
    try:
        table, refused, details = _write_arrays(cases, config, partial, workers)
        _check_refused(refused, len(cases), config)
        twins = near_duplicates(*map(np.array, zip(*details, strict=True))) if _may_repeat(config) else []
        table["cluster"] = _clusters(table, twins)
        table["fold"] = assign_folds(table["label"], table["cluster"], config.folds, config.seed)
        summary = {
            "n_cases": len(table),
            "classes": table["label"].value_counts().sort_index().to_dict(),
            "structures": config.structures,
            "image_size": config.image_size,
            "parameters": config.model_dump(),
            "refused": refused,
            "duplicates": [
                {"a": table["case_id"][i], "b": table["case_id"][j], "correlation": round(r, 3)} for i, j, r in twins
            ],
            "fingerprint": _fingerprint(table),
            "seconds": round(time.monotonic() - began, 1),
        }
        table.to_csv(partial / "cases.csv", index=False)
        (partial / "dataset.json").write_text(json.dumps(summary, indent=2) + "\n")
        _replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return summary


def load(folder: Path) -> tuple[np.ndarray, np.ndarray, pd.DataFrame, dict]:
    """Open a prepared dataset without reading its pixels into memory.

    Returns
    -------
    images : (n, size, size) uint8 memory map
    masks : (n, size, size, structures) uint8 memory map
    cases : DataFrame, one row per case in the same order
    dataset : dict, the content of ``dataset.json``

    Raises
    ------
    FileNotFoundError
        There is no prepared dataset in `folder`.
    """
    folder = Path(folder)
    if not (folder / "dataset.json").is_file():
        raise FileNotFoundError(f"{folder}: no prepared dataset here; run notebook 01-data (or `cxrseg run`) first")
    return (
        np.load(folder / "images.npy", mmap_mode="r"),
        np.load(folder / "masks.npy", mmap_mode="r"),
        pd.read_csv(folder / "cases.csv", dtype={"case_id": str, "group": str, "label": str}, keep_default_na=False),
        json.loads((folder / "dataset.json").read_text()),
    )


def take(array: np.ndarray, rows) -> np.ndarray:
    """Return rows of a memory-mapped array, and let go of what was read of it before.

    The system keeps what it read as long as it has room, but it no longer counts as this process's memory: a pass
    over a dataset takes the same, however large that is.
    """
    if (mapped := getattr(array, "_mmap", None)) is not None:
        mapped.madvise(mmap.MADV_DONTNEED)
    return array[rows]


def assign_folds(labels, clusters, folds: int, seed: int) -> np.ndarray:
    """Split cases into folds, stratified by class, a cluster never divided.

    Clusters are shuffled, laid out class by class and largest first, and dealt to the folds like cards.

    Parameters
    ----------
    labels, clusters : (n,) sequences
        Diagnostic class and cluster number of each case.
    folds : int
    seed : int

    Returns
    -------
    (n,) int array
        The fold, from 0, in which each case is tested.

    Raises
    ------
    ValueError
        There are fewer clusters than folds.
    """
    cases = pd.DataFrame({"label": list(labels), "cluster": list(clusters)})
    units = cases.groupby("cluster").agg(label=("label", "first"), size=("label", "size"))
    if len(units) < folds:
        raise ValueError(f"{len(units)} independent cases cannot fill {folds} folds: add cases or lower data.folds")
    units = units.sample(frac=1, random_state=seed)
    units = units.sort_values(["label", "size"], ascending=[True, False], kind="stable")
    units["fold"] = np.arange(len(units)) % folds
    return cases["cluster"].map(units["fold"]).to_numpy()


def read(case: Case, structures: list[str]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the pixels of a case and its mask of each structure, (height, width) uint8 and bool, once they are sound.

    Raises
    ------
    ValueError, OSError
        They cannot be read, do not match, or hold nothing to learn from or to score.
    """
    image, masks = case.image(), [case.masks[structure]() for structure in structures]
    if image.min() == image.max():
        raise ValueError(f"the image is constant (every pixel {image.min()})")
    for structure, mask in zip(structures, masks, strict=True):
        if mask.shape != image.shape:
            raise ValueError(f"the {structure} mask is {_size(mask)} pixels, the image {_size(image)}: they must match")
        if structure not in MAY_BE_EMPTY and not mask.any():
            raise ValueError(f"the {structure} mask is empty")
        if mask.all():
            raise ValueError(f"the {structure} mask covers the whole image")
    return image, masks


def _read(case: Case, config: DataConfig) -> dict | str:
    """Read and check one case; return its row and arrays, or the reason why it is refused."""
    try:
        image, masks = read(case, config.structures)
    except (ValueError, OSError) as error:
        return str(error)
    square = images.to_square(image, config.image_size)
    stack = np.stack([images.mask_to_square(mask, config.image_size) for mask in masks], axis=-1).astype(np.uint8)
    row = {
        "case_id": case.case_id,
        "label": case.label,
        "group": case.group or "",
        "width": image.shape[1],
        "height": image.shape[0],
        "sha256": hashlib.sha256(square.tobytes()).hexdigest(),
        "mask_sha256": hashlib.sha256(stack.tobytes()).hexdigest(),
    }
    for k, structure in enumerate(config.structures):
        row[f"{structure}_share"] = round(float(stack[..., k].mean()), 4)
    return {"row": row, "image": square, "masks": stack, "detail": describe(square) if _may_repeat(config) else None}


def _may_repeat(config: DataConfig) -> bool:
    """Return whether one film may be there twice. Phantoms differ by construction, and may be a hundred thousand."""
    return config.source != "phantom"


def _write_arrays(cases: list[Case], config: DataConfig, folder: Path, workers: int | None):
    size, structures = config.image_size, len(config.structures)
    rows, refused, details = [], [], []
    if workers is None and len(cases) < 32:
        workers = 1  # starting processes costs more than reading a few cases
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
            if done % max(1, len(cases) // 5) == 0 or done == len(cases):
                print(f"prepared {done:,} of {len(cases):,} cases in {time.monotonic() - began:.0f} s", flush=True)
        # NumPy leaves room in the header for a longer first axis, so the count can be filled in last.
        _header(image_file, (len(rows), size, size))
        _header(mask_file, (len(rows), size, size, structures))
    return pd.DataFrame(rows), refused, details


def _header(file, shape: tuple) -> None:
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _check_refused(refused: list[dict], total: int, config: DataConfig) -> None:
    if len(refused) == total or len(refused) > config.max_refused * total:
        first = "; ".join(f"{case['case_id']}: {case['reason']}" for case in refused[:3])
        raise ValueError(
            f"{len(refused)} of {total} cases cannot be used, more than data.max_refused "
            f"({config.max_refused:.0%}) allows: {first}{'; …' if len(refused) > 3 else ''}"
        )


def _clusters(table: pd.DataFrame, twins: list[tuple[int, int, float]]) -> np.ndarray:
    """Number the groups of cases tied to one another by patient, by equal pixels or by near-duplication."""
    n, ties = len(table), [(i, j) for i, j, _ in twins]
    for column in ("group", "sha256"):
        known = table[table[column] != ""]
        for members in known.groupby(column).indices.values():
            numbers = known.index[members]
            ties += [(numbers[0], other) for other in numbers[1:]]
    i, j = np.array(ties, int).reshape(-1, 2).T
    return connected_components(coo_array((np.ones(len(i)), (i, j)), shape=(n, n)), directed=False)[1]


def _fingerprint(table: pd.DataFrame) -> str:
    """Digest what a model can learn from and be scored on: pixels, masks, classes and folds, in order."""
    content = table[["label", "fold", "sha256", "mask_sha256"]].to_csv(index=False)
    return hashlib.sha256(content.encode()).hexdigest()


def _replace(new: Path, old: Path) -> None:
    """Put folder `new` in the place of `old`, which may exist."""
    if old.exists():
        old.rename(_aside(old))
    new.rename(old)
    shutil.rmtree(_aside(old), ignore_errors=True)


def _aside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.old")


def _size(array: np.ndarray) -> str:
    return f"{array.shape[1]} x {array.shape[0]}"
