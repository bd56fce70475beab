"""External validation: score a run's networks on another dataset at the native resolution of each mask."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from cxrseg import models, paths, provenance, runs
from cxrseg.config import DataConfig, EvaluateConfig, Study
from cxrseg.data.cases import Case
from cxrseg.data.prepare import read
from cxrseg.data.sources import find_cases
from cxrseg.data.square import to_square
from cxrseg.evaluate.predict import Network, in_pixels, load_keras, predict_image
from cxrseg.evaluate.scores import aggregate, score
from cxrseg.files import write_csv, write_json


def evaluate_external(name: str, source: str, path: Path) -> dict:
    """Score the mean prediction of a run's networks on another dataset.

    Parameters
    ----------
    name : str
        A finished run, or ``default`` for the model that comes with the package.
    source : str
        The kind of dataset: ``folder``, ``covid_qu_ex`` or ``rsua``.
    path : Path
        The archive or folder of the dataset.

    Returns
    -------
    dict
        The content of ``summary.json``. It is written with ``cases.csv`` to ``runs/<name>/external/<dataset>/``,
        where the dataset has the name of its folder, or of its archive without the suffix. ``refused`` lists
        unusable cases, and ``own`` lists cases whose radiographs are identical to one in the run's own dataset.

    Raises
    ------
    FileNotFoundError
        The run or its networks do not exist.
    ValueError
        The dataset as a whole is unusable, or none of its cases can be read.
    """
    study, files = _model(name)
    network = load_keras(files)
    structures = study.data.structures
    cases = find_cases(DataConfig(source=source, path=str(path), structures=structures))
    refused: list[dict] = []
    own: list[str] = []
    rows = score(_segmented(cases, network, study, _digests(name), refused, own), structures)
    if rows.empty:
        first = refused[0]
        raise ValueError(f"{path}: none of {len(cases)} cases can be used; {first['case_id']}: {first['reason']}")
    folder = paths.external(name, paths.dataset_name(path))
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "cases.csv", rows)
    summary = {
        "study": study.name,
        "run": name,
        "dataset": folder.name,
        **aggregate(rows, structures, study.evaluate),
        "refused": refused,
        "own": own,
        "parameters": runs.parameters(study),
        "provenance": provenance.record(),
    }
    write_json(folder / "summary.json", summary)
    return summary


def _model(name: str) -> tuple[Study, list[Path]]:
    """Return the study and the network files of a run, or those of the default model."""
    if name == models.DEFAULT:
        card = models.card()
        study = Study(
            name=card.study,
            data=DataConfig(structures=card.structures),
            evaluate=EvaluateConfig(threshold=card.threshold, pieces=card.pieces),
        )
        return study, [models.weights_file(name)]
    study = runs.study(name)
    files = [file for fold in range(study.run_folds) if (file := paths.fold(name, fold) / "model.keras").is_file()]
    if not files:
        raise FileNotFoundError(f"run {name!r} has no trained network: finish it with `cxrseg run` first")
    return study, files


def _digests(name: str) -> set[str]:
    """Return the digests of a run's own radiographs; none for the default model, which saw no patient."""
    file = paths.data(name) / "cases.csv"
    return set(pd.read_csv(file, usecols=["sha256"])["sha256"]) if file.is_file() else set()


def _segmented(cases: list[Case], network: Network, study, known: set[str], refused: list[dict], own: list[str]):
    """Yield the identifying columns, the reference masks and the predicted masks of each readable case."""
    structures, config = study.data.structures, study.evaluate
    for number, case in enumerate(cases, start=1):
        try:
            image, masks, _ = read(case, structures)
        except (ValueError, OSError) as error:
            refused.append({"case_id": case.case_id, "reason": str(error)})
            continue
        square = to_square(image, study.data.image_size)[None]
        if hashlib.sha256(square.tobytes()).hexdigest() in known:
            own.append(case.case_id)
        found = predict_image(network, image, config.threshold, config.pieces)
        if number % max(1, len(cases) // 10) == 0:
            print(f"segmented {number:,} of {len(cases):,} cases", flush=True)
        yield (
            {"case_id": case.case_id, "label": case.label, "fold": -1},
            np.stack(masks, axis=-1),
            in_pixels(found, config.threshold, image.shape),
        )
