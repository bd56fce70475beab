"""Train one fold. An interrupted training resumes after its last complete epoch and ends with the same weights."""

import json
from pathlib import Path

import keras
import pandas as pd

from cxrseg import hardware, provenance, runs
from cxrseg.config import TrainConfig
from cxrseg.data.dataset import Dataset
from cxrseg.data.split import split
from cxrseg.files import write_text, write_whole
from cxrseg.models import outputs
from cxrseg.train.batches import Batches
from cxrseg.train.compile import compile_network
from cxrseg.train.epochs import Epochs, latest_checkpoint, remove, resume
from cxrseg.train.warmstart import start_from


def train(config: TrainConfig, data: Path, folder: Path, fold: int = 0) -> dict:
    """Train the network on all folds except one and keep the weights with the lowest validation loss.

    Parameters
    ----------
    config : TrainConfig
    data : Path
        A prepared dataset.
    folder : Path
        Output folder for ``model.keras``, ``history.csv`` (one row per epoch) and ``train.json``, which is
        written last. An unfinished training of the same configuration is resumed.
    fold : int
        The hold-out fold. Its cases are never read here.

    Returns
    -------
    dict
        The content of ``train.json``.

    Raises
    ------
    FileNotFoundError
        `data` is not a prepared dataset.
    ValueError
        The fold does not exist, there are too few cases to train on, or `folder` lies in a run with other parameters.
    FloatingPointError
        The loss is not finite.
    """
    runs.admit(folder, train=config)
    dataset = Dataset.load(data)
    predicted = outputs(dataset.structures)
    pixels, masks = dataset.images, dataset.masks[..., -len(predicted) :]
    training, validation, testing = split(dataset.cases, fold, config.validation_share, config.seed, config.cases)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)

    precision = hardware.native_precision() if config.precision == "auto" else config.precision
    model = compile_network(config, masks.shape[-1], precision, -(-len(training) // config.batch_size))
    identity = {
        "config": config.model_dump(),
        "fold": fold,
        "fingerprint": dataset.fingerprint,
        "precision": precision,
        "backend": keras.backend.backend(),
    }
    if config.init:
        identity["init_sha256"] = start_from(model, config.init, fold, dataset, dataset.cases.iloc[testing])
    history = resume(model, folder, identity)

    epochs = Epochs(model, config, folder, identity, history)
    while not epochs.finished():
        epochs.next(
            Batches(pixels, masks, training, config, epoch=len(history)), Batches(pixels, masks, validation, config)
        )
    history = pd.DataFrame(history)
    best = int(history["val_loss"].idxmin())
    model.load_weights(latest_checkpoint(folder) / "best.weights.h5")
    record = {
        "fold": fold,
        "n_training": len(training),
        "n_validation": len(validation),
        "n_testing": len(testing),
        "n_parameters": model.count_params(),
        "epochs": len(history),
        "best_epoch": best + 1,
        "validation_dice": round(float(history["val_dice"][best]), 4),
        "seconds": round(float(history["seconds"].sum()), 1),
        "images_per_second": round(len(training) * len(history) / history["seconds"].sum(), 2),
        "hardware": hardware.describe(),
        "commit": provenance.commit()["commit"],
        "stage_code": provenance.stage_fingerprint("train"),
        **identity,
    }
    write_whole(folder / "model.keras", model.save)
    write_whole(folder / "history.csv", lambda path: history.to_csv(path, index=False))
    write_text(folder / "train.json", json.dumps(record, indent=2) + "\n")
    for checkpoint in folder.glob("checkpoint-*"):
        remove(checkpoint)
    return record
