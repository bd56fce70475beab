"""External validation: score a run's networks on another dataset.

Radiographs and masks are padded to a square of `cxrseg.evaluate.predict.GRID` pixels, as a study prepares its own
dataset, and scored there. So a distance in pixels means the same on every film, and a dataset has the same scores here
as in a study of it. On request, each mask is scored in its own pixels.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from functools import partial
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from cxrseg import models, paths, provenance, runs
from cxrseg.config import DataConfig, EvaluateConfig, Study
from cxrseg.data.cases import Case
from cxrseg.data.dataset import Dataset, take
from cxrseg.data.pairing import has_mask
from cxrseg.data.prepare import read
from cxrseg.data.sets import RUN, place, require_same, set_name
from cxrseg.data.sources import SOURCES, find_cases
from cxrseg.data.square import mask_to_square, to_square
from cxrseg.evaluate.masks import to_levels, to_masks
from cxrseg.evaluate.predict import GRID, Network, in_pixels, load_keras, predict, predict_image
from cxrseg.evaluate.scores import aggregate, score
from cxrseg.files import digest, locked, new_folder, read_csv, state, write_csv, write_json
from cxrseg.train.inputs import to_grid


def networks_digest(name: str) -> str:
    """Return a digest of a run's networks and of the settings that make masks of their probabilities.

    Raises
    ------
    FileNotFoundError
        The run or its networks do not exist.
    """
    study, files = _model(name)
    digest = hashlib.sha256(f"{study.evaluate.threshold} {study.evaluate.pieces}".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def evaluate_external(
    name: str,
    source: str,
    path: Path,
    native: bool = False,
    labels: dict[str, list[int]] | None = None,
    check: Callable[[list[Case]], str] | None = None,
) -> dict:
    """Score the mean prediction of a run's networks on another dataset.

    Parameters
    ----------
    name : str
        A finished run, or ``default`` for the model that comes with the package.
    source : str
        The kind of dataset: a name of `cxrseg.data.sources.SOURCES`, or `RUN`.
    path : Path
        The archive or folder of the dataset.
    native : bool
        Score each mask in its own pixels, as `cxrseg segment` writes them, not on the square.
    labels : dict of str to list of int, optional
        The values of each structure in label maps.
    check : callable, optional
        Given the cases, returns what is doubtful about their masks in one line, or an empty string.

    Returns
    -------
    dict
        The content of ``summary.json``. It is written with ``cases.csv`` to ``runs/<name>/external/<dataset>/``,
        where the dataset has the name of its folder, or of its archive without the suffix; with ``-native`` after it
        where `native` is set. ``grid`` is the side of the square in pixels, or None. ``outlines`` is what the source
        says about its reference masks, ``doubt`` what `check` does, ``notes`` counts how masks were read.
        ``refused`` lists unusable cases, and ``own`` those whose radiographs are identical to one in the run's own
        dataset. ``state`` and ``digest`` identify the files that were scored, ``place`` where they lay, and
        ``networks`` the networks (`networks_digest`).

    Raises
    ------
    FileNotFoundError
        The run or its networks do not exist.
    ValueError
        The dataset as a whole is unusable, none of its cases can be read, it is the run's own, or the run was scored on
        another one of its name.
    RuntimeError
        Another process scores the run on it.
    """
    if source == RUN and path == paths.data(name):
        raise ValueError(f"run {name!r} has learnt from this dataset; its score on unseen cases of it: {path.parent}")
    if labels and source not in ("folder", "csv"):
        raise ValueError(f"--labels: only for folder:PATH and csv:FILE; the masks of {source} say what they show")
    study, files = _model(name)
    folder = paths.external(name, set_name(source, path) + ("-native" if native else ""))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(f".{folder.name}.lock"), f"the scores of {name!r} on {folder.name!r}"):
        require_same(folder, source, path)
        known = {
            "state": state(path),
            "digest": digest(path),
            "place": place(path),
            "networks": networks_digest(name),
            "labels": labels or {},
        }
        cases = _prepared(path, study) if source == RUN else _found(source, path, study.data.structures, labels or {})
        if not cases:
            raise ValueError(f"{path}: no cases found")
        rows, scores = _scored(cases, name, study, files, native)
        if rows.empty:
            first = scores["refused"][0]
            raise ValueError(f"{path}: none of {len(cases)} cases can be used; {first['case_id']}: {first['reason']}")
        summary = {
            "study": study.name,
            "run": name,
            "dataset": folder.name,
            "source": source,
            **known,
            "grid": None if native else GRID,
            "outlines": SOURCES[source].ABOUT.outlines if source in SOURCES else "",
            **scores,
            "doubt": check(cases) if check else "",
            "parameters": runs.parameters(study),
            "provenance": provenance.record(),
        }
        with new_folder(folder) as partial_folder:
            write_csv(partial_folder / "cases.csv", rows)
            write_json(partial_folder / "summary.json", summary)
    return summary


def _scored(cases: list[Case], name: str, study: Study, files: list[Path], native: bool) -> tuple[pd.DataFrame, dict]:
    """Return the scores of every case, and what the summary says of them."""
    structures = [name for name in study.data.structures if name in cases[0].masks]
    refused: list[dict] = []
    own: list[str] = []
    notes: Counter[str] = Counter()
    network = load_keras(files, study.data.structures)
    rows = score(_segmented(cases, structures, network, study, native, _digests(name), refused, own, notes), structures)
    if rows.empty:
        return rows, {"refused": refused}
    for structure in structures:
        if not (of := rows[rows["structure"] == structure])["truth_pixels"].any():
            notes[f"the {structure} mask is empty"] = len(of)
    scores = aggregate(rows, structures, study.evaluate)
    return rows, {**scores, "notes": dict(notes), "refused": refused, "own": own}


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
    return set(read_csv(file, usecols=["sha256"])["sha256"]) if file.is_file() else set()


def _found(source: str, path: Path, structures: list[str], labels: dict[str, list[int]]) -> list[Case]:
    """Return the cases of a set, with the first structure and those of the others that the set has."""

    def config(*names: str) -> DataConfig:
        values = {name: labels[name] for name in names if name in labels}
        return DataConfig(source=source, path=str(path), structures=list(names), labels=values)

    if unknown := [name for name in labels if name not in structures]:
        raise ValueError(f"--labels {unknown[0]}: the network knows {', '.join(structures)}")
    first, *others = structures
    there = []
    for name in others:
        with suppress(ValueError), redirect_stdout(StringIO()):
            find_cases(config(first, name))
            there.append(name)
    if lost := [name for name in labels if name not in (first, *there)]:
        raise ValueError(f"--labels {lost[0]}: no masks of the {lost[0]} are found beside those of the {first}")
    return find_cases(config(first, *there))


def _prepared(folder: Path, study: Study) -> list[Case]:
    """Return the cases of a prepared dataset."""
    dataset, structures = Dataset.load(folder), study.data.structures
    source, size = (dataset.record["parameters"][key] for key in ("source", "image_size"))
    if source == study.data.source and size != study.data.image_size:
        remedy = "choose a run of that size" if source == "phantom" else f"use --on {source}:PATH"
        raise ValueError(
            f"{folder}: prepared at {size} pixels, this run's data at {study.data.image_size}, so that radiographs in "
            f"both would not be found; {remedy}"
        )
    if structures[0] not in dataset.structures:
        raise ValueError(f"{folder}: no masks of {structures[0]}; there are {', '.join(dataset.structures)}")
    channels = {name: dataset.structures.index(name) for name in structures if name in dataset.structures}
    return [
        Case(
            row.case_id,
            row.label,
            partial(take, dataset.images, n),
            {name: partial(_prepared_mask, dataset.masks, n, k) for name, k in channels.items()},
        )
        for n, row in enumerate(dataset.cases.itertuples())
    ]


def _prepared_mask(masks: np.ndarray, row: int, channel: int) -> np.ndarray:
    return take(masks, row)[..., channel] > 0


def _segmented(
    cases: list[Case],
    structures: list[str],
    network: Network,
    study: Study,
    native: bool,
    known: set[str],
    refused: list,
    own: list[str],
    notes: Counter,
):
    """Yield what `cxrseg.evaluate.scores.score` needs of each readable case."""
    threshold, pieces = study.evaluate.threshold, study.evaluate.pieces
    for number, case in enumerate(cases, start=1):
        # A heart that nobody outlined does not make the lungs useless.
        own_structures = [name for name in structures if name == structures[0] or has_mask(case, name)]
        channels = [network.structures.index(name) for name in own_structures]
        try:
            image, masks, read_as = read(case, own_structures)
            spacing = case.spacing() if case.spacing else None
        except (ValueError, OSError) as error:
            refused.append({"case_id": case.case_id, "reason": str(error)})
            continue
        notes.update(read_as)
        notes.update(
            f"no {name} mask, so that structure is not scored" for name in structures if name not in own_structures
        )
        square = to_square(image, study.data.image_size)[None]
        if hashlib.sha256(square.tobytes()).hexdigest() in known:
            own.append(case.case_id)
        if native:
            found = predict_image(network, image, threshold, pieces)
            predicted = in_pixels(found, threshold, image.shape)[..., channels]
        else:
            side = max(GRID, study.data.image_size)  # a network sees as much as in its own study
            levels = predict(network, to_square(image, side)[None])
            if side > GRID:
                levels = to_levels(to_grid(levels / np.float32(255), GRID))
            predicted = to_masks(levels[0], threshold, pieces, network.structures)[..., channels]
            masks = [mask_to_square(mask, GRID) for mask in masks]
            if spacing:
                row, column = spacing
                spacing = row * max(image.shape) / GRID, column * max(image.shape) / GRID
        if number % max(1, len(cases) // 10) == 0:
            print(f"segmented {number:,} of {len(cases):,} cases", flush=True)
        yield (
            {"case_id": case.case_id, "label": case.label, "fold": -1},
            np.stack(masks, axis=-1),
            predicted,
            spacing,
            own_structures,
        )
