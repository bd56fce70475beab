"""Score a run's networks on radiographs from elsewhere, on each mask's own pixels."""

import hashlib
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from cxrseg import network, paths, runs
from cxrseg.config import DataConfig, EvaluateConfig, Study
from cxrseg.evaluate import predict
from cxrseg.images import from_square, to_square
from cxrseg.masks import to_levels, to_masks
from cxrseg.prepare import read
from cxrseg.scores import score, summarise, write_csv
from cxrseg.sources import Case, find_cases


def evaluate_external(name: str, source: str, path: Path) -> dict:
    """Score the mean prediction of a run's networks on another dataset.

    Parameters
    ----------
    name : str
        A finished run, or ``default``: the model that comes with the package.
    source : str
        The kind of dataset: ``folder``, ``covid_qu_ex`` or ``rsua``.
    path : Path
        Its archive or folder.

    Returns
    -------
    dict
        The content of ``summary.json``, which with ``cases.csv`` is written to
        ``runs/<name>/external/<folder name>/``, of an archive without its ending. Cases that cannot be used are
        listed as ``refused``, those whose radiographs the run itself has, pixel by pixel, as ``own``.

    Raises
    ------
    FileNotFoundError
        The run or its networks are not there.
    ValueError
        The dataset as a whole is unusable, or not one case of it can be read.
    """
    study, files = _model(name)
    networks = [keras.saving.load_model(file, compile=False) for file in files]
    structures = study.data.structures
    cases = find_cases(DataConfig(source=source, path=str(path), structures=structures))
    refused: list[dict] = []
    own: list[str] = []
    rows = score(_segmented(cases, networks, study, _digests(name), refused, own), structures)
    if rows.empty:
        first = refused[0]
        raise ValueError(f"{path}: none of {len(cases)} cases can be used; {first['case_id']}: {first['reason']}")
    folder = paths.external(name, paths.dataset_name(path))
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(rows, folder / "cases.csv")
    summary = {
        "study": study.name,
        "run": name,
        "dataset": folder.name,
        **summarise(rows, structures, study.evaluate),
        "refused": refused,
        "own": own,
        "parameters": runs.parameters(study),
        "provenance": runs.provenance(),
    }
    runs.write_summary(folder / "summary.json", summary)
    return summary


def _model(name: str) -> tuple[Study, list[Path]]:
    """Return the study of a run and its networks' files, or those of the model that comes with the package."""
    if name == "default":
        info = network.info()
        study = Study(
            name=info["study"],
            data=DataConfig(structures=info["structures"]),
            evaluate=EvaluateConfig(threshold=info["threshold"], pieces=info["pieces"]),
        )
        return study, [paths.weights(name)]
    study = runs.study(name)
    files = [file for fold in range(study.run_folds) if (file := paths.fold(name, fold) / "model.keras").is_file()]
    if not files:
        raise FileNotFoundError(f"run {name!r} has no trained network: finish it with `cxrseg run` first")
    return study, files


def _digests(name: str) -> set[str]:
    """Return the digests of a run's own radiographs, none of the default model: it has seen no patient."""
    file = paths.data(name) / "cases.csv"
    return set(pd.read_csv(file, usecols=["sha256"])["sha256"]) if file.is_file() else set()


def _segmented(cases: list[Case], networks: list, study, known: set[str], refused: list[dict], own: list[str]):
    """Yield the naming columns, reference masks and predicted masks of each case that can be read."""
    structures, config = study.data.structures, study.evaluate
    for number, case in enumerate(cases, start=1):
        try:
            image, masks = read(case, structures)
        except (ValueError, OSError) as error:
            refused.append({"case_id": case.case_id, "reason": str(error)})
            continue
        square = to_square(image, study.data.image_size)[None]
        if hashlib.sha256(square.tobytes()).hexdigest() in known:
            own.append(case.case_id)
        probability = np.mean([predict(model, square)[0] for model in networks], axis=0)
        whole = np.stack([from_square(probability[..., k], image.shape) for k in range(len(structures))], axis=-1)
        if number % max(1, len(cases) // 10) == 0:
            print(f"segmented {number:,} of {len(cases):,} cases", flush=True)
        yield (
            {"case_id": case.case_id, "label": case.label, "fold": -1},
            np.stack(masks, axis=-1),
            to_masks(to_levels(whole), config.threshold, config.pieces),
        )
