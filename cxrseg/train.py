"""Train one fold. Killed at any moment, it goes on from the last whole epoch to the same end."""

import hashlib
import json
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import keras
import numpy as np
import pandas as pd
from keras import ops

from cxrseg import hardware, paths, runs
from cxrseg.augment import augment
from cxrseg.config import TrainConfig
from cxrseg.inputs import CHANNELS, network_input, network_target, resize
from cxrseg.prepare import assign_folds, load, take
from cxrseg.unet import unet


def train(config: TrainConfig, data: Path, folder: Path, fold: int = 0) -> dict:
    """Train the network on all folds but one, and keep the weights that did best on validation.

    Parameters
    ----------
    config : TrainConfig
    data : Path
        A prepared dataset.
    folder : Path
        Receives ``model.keras``, ``history.csv`` (one row per epoch) and, last, ``train.json``.
        Unfinished work of the same configuration found here is taken up again.
    fold : int
        The fold to leave out: its cases are never read here.

    Returns
    -------
    dict
        The content of ``train.json``.

    Raises
    ------
    FileNotFoundError
        `data` is not a prepared dataset.
    ValueError
        The fold does not exist, or there are too few cases to train on.
    FloatingPointError
        The loss is no longer a number.
    """
    pixels, masks, cases, dataset = load(data)
    training, validation, testing = split(cases, fold, config.validation_share, config.seed, config.cases)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)

    precision = hardware.native_precision() if config.precision == "auto" else config.precision
    model = build(config, masks.shape[-1], precision, -(-len(training) // config.batch_size))
    identity = {
        "config": config.model_dump(),
        "fold": fold,
        "fingerprint": dataset["fingerprint"],
        "precision": precision,
        "backend": keras.backend.backend(),
    }
    if config.init:
        identity["init_sha256"] = start_from(model, config.init, fold, dataset, cases.iloc[testing])
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
        "commit": runs.commit()["commit"],
        **identity,
    }
    _write(folder / "model.keras", model.save)
    _write(folder / "history.csv", lambda path: history.to_csv(path, index=False))
    _write(folder / "train.json", lambda path: Path(path).write_text(json.dumps(record, indent=2) + "\n"))
    for checkpoint in folder.glob("checkpoint-*"):
        _remove(checkpoint)
    return record


def split(
    cases: pd.DataFrame, fold: int, share: float, seed: int, n: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the row numbers for training, validation and testing of one fold.

    With `n`, training and validation are drawn from that many cases of the training folds; the seed and the fold
    decide which. Validation is drawn as the folds were: stratified, clusters whole.

    Raises
    ------
    ValueError
        No case has this fold number, or the training folds have fewer than `n` cases.
    """
    inside = np.flatnonzero(cases["fold"] != fold)
    testing = np.flatnonzero(cases["fold"] == fold)
    if not len(testing):
        raise ValueError(f"fold {fold} does not exist: this dataset has folds 0 to {cases['fold'].max()}")
    if n > len(inside):
        raise ValueError(f"train.cases {n} is more than the {len(inside)} cases of the training folds: use 0 for all")
    if n:
        inside = np.sort(np.random.default_rng([seed, fold]).permutation(inside)[:n])
    rest = cases.iloc[inside]
    if rest["cluster"].nunique() < 2:
        raise ValueError(
            f"fold {fold} has fewer than two independent cases to learn from: add cases, or more train.cases"
        )
    parts = min(round(1 / share), rest["cluster"].nunique())
    chosen = assign_folds(rest["label"], rest["cluster"], parts, seed + 1) == 0
    return inside[~chosen], inside[chosen], testing


def build(config: TrainConfig, structures: int, precision: str, steps_per_epoch: int) -> keras.Model:
    """Build and compile the network of a configuration, its initial weights drawn from the seed."""
    keras.utils.set_random_seed(config.seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    keras.config.set_dtype_policy(precision)
    model = unet(
        config.input_size,
        structures,
        config.base_filters,
        config.depth,
        channels=CHANNELS[config.contrast],
        growth=config.growth,
        stride=config.stride,
        batch_norm=config.batch_norm,
    )
    rate = config.learning_rate
    if config.schedule == "cosine":
        steps = steps_per_epoch * config.epochs
        warmup = min(100, steps // 10)
        # A mean of weights is worth something only where the weights still move.
        lowest = 0.3 if config.averaging else 0.02
        rate = keras.optimizers.schedules.CosineDecay(
            rate / 20, steps - warmup, alpha=lowest, warmup_target=rate, warmup_steps=warmup
        )
    loss = "binary_crossentropy" if config.loss == "cross_entropy" else cross_entropy_dice
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["binary_accuracy", dice])
    model.optimizer.build(model.trainable_variables)
    return model


def cross_entropy_dice(truth, probability):
    """Binary cross-entropy, plus one minus the soft Dice of each image and structure; shape (batch,)."""
    truth = ops.cast(truth, "float32")
    entropy = ops.mean(ops.binary_crossentropy(truth, probability), axis=(1, 2, 3))
    common = ops.sum(truth * probability, axis=(1, 2))
    total = ops.sum(truth, axis=(1, 2)) + ops.sum(probability, axis=(1, 2))
    return entropy + 1 - ops.mean((2 * common + 1) / (total + 1), axis=-1)  # 1: an empty structure has a Dice too


def dice(truth, probability):
    """Dice of each image and structure at threshold 0.5, averaged over structures; shape (batch,)."""
    truth = ops.cast(truth, "float32")
    predicted = ops.cast(probability >= 0.5, "float32")
    common = ops.sum(truth * predicted, axis=(1, 2))
    total = ops.sum(truth, axis=(1, 2)) + ops.sum(predicted, axis=(1, 2))
    return ops.mean(ops.where(total > 0, 2 * common / ops.maximum(total, 1), 1), axis=-1)  # both empty: agreement


class Batches:
    """Batches of (images, masks) whose order and augmentation depend on the seed and the epoch alone.

    Keras' own shuffling would go on from a random state that a resumed run does not have.
    """

    def __init__(self, pixels, masks, rows, config: TrainConfig, epoch: int | None = None):
        self.pixels, self.masks, self.config = pixels, masks, config
        self.epoch = epoch  # None: validation, in order and as it is
        self.rows = rows if epoch is None else np.random.default_rng([config.seed, epoch]).permutation(rows)

    def __len__(self):
        return -(-len(self.rows) // self.config.batch_size)

    def __getitem__(self, number):
        chosen = self.rows[number * self.config.batch_size : (number + 1) * self.config.batch_size]
        pixels, size = take(self.pixels, chosen), self.config.input_size
        targets = network_target(take(self.masks, chosen), size)
        if self.config.augment and self.epoch is not None:
            pixels = resize(pixels, size)
            for k, row in enumerate(chosen):
                rng = np.random.default_rng([self.config.seed, self.epoch, row])
                pixels[k], targets[k] = augment(pixels[k], targets[k], rng)
        return network_input(pixels, size, self.config.contrast), targets


def learn(model: keras.Model, batches: Batches, after_step: Callable[[int], None] = lambda number: None) -> dict:
    """Learn from each batch once; return the means over all images of the loss and the metrics.

    Keras' own ``fit`` gives the same numbers, but on two cores it was slower, in some epochs much.
    """
    return _means(model.train_on_batch, batches, after_step)


def check(model: keras.Model, batches: Batches) -> dict:
    """Return the means of the loss and the metrics over batches that are not learnt from, by ``val_<name>``."""
    return {f"val_{name}": mean for name, mean in _means(model.test_on_batch, batches).items()}


def ahead(batches: Batches) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the batches in their order, while later ones are being prepared: a graphics card need not wait for them.

    Parameters
    ----------
    batches : Batches

    Yields
    ------
    images : (n, size, size, channels) float32 array
    masks : (n, size, size, structures) float32 array of 0 and 1

    Raises
    ------
    Exception
        What the preparation of a batch raises, when its turn comes.
    """
    # One core takes the steps; beyond eight others, batches would only wait in memory.
    workers = min(max(1, joblib.cpu_count() - 1), 8)
    pool = ThreadPoolExecutor(workers)  # threads: NumPy and Pillow let go of Python's lock
    try:
        waiting = deque(pool.submit(batches.__getitem__, number) for number in range(min(workers, len(batches))))
        for number in range(len(batches)):
            batch = waiting.popleft().result()
            if number + workers < len(batches):
                waiting.append(pool.submit(batches.__getitem__, number + workers))
            yield batch
    finally:
        pool.shutdown(cancel_futures=True)


def _means(step: Callable, batches: Batches, after_step: Callable[[int], None] = lambda number: None) -> dict:
    sums, count = {}, 0
    for number, (images, masks) in enumerate(ahead(batches)):
        for name, mean in step(images, masks, return_dict=True).items():
            sums[name] = sums.get(name, 0) + float(mean) * len(images)
        count += len(images)
        after_step(number)
    return {name: total / count for name, total in sums.items()}


class Epochs:
    """One epoch after another, each with one line, one checkpoint, and the decision whether to go on.

    Early stopping is read off the history, so a resumed run decides as an uninterrupted one does. With
    ``config.averaging``, a running mean of the weights over the second half of the training is what is validated
    and kept: it lies in a flatter place than any of them, and reads images from elsewhere better (Cha et al., SWAD:
    Domain Generalization by Seeking Flat Minima, NeurIPS 2021).
    """

    def __init__(self, model: keras.Model, config: TrainConfig, folder: Path, identity: dict, history: list[dict]):
        self.model, self.config, self.folder, self.identity, self.history = model, config, folder, identity, history
        checkpoint = latest_checkpoint(folder)
        self.average = None
        if history and (checkpoint / "average.npz").is_file():
            with np.load(checkpoint / "average.npz") as stored:
                self.average = [stored[name] for name in stored.files]

    def best(self) -> int:
        return int(np.argmin([row["val_loss"] for row in self.history]))

    def finished(self) -> bool:
        done = len(self.history)
        impatient = self.config.patience and done and done - 1 - self.best() >= self.config.patience
        return done >= self.config.epochs or bool(impatient)

    def next(self, batches: Batches, validation: Batches):
        epoch, began = len(self.history), time.monotonic()
        means = learn(self.model, batches, lambda number: self.step(epoch + number / len(batches)))
        self._swap()
        means |= check(self.model, validation)
        self._swap()
        self.end(epoch, means, time.monotonic() - began)

    def step(self, done: float):
        """Take the weights into their mean, in the second half; `done` in epochs."""
        momentum = self.config.averaging
        if momentum and 2 * done >= self.config.epochs:
            weights = self.model.get_weights()
            mean = weights if self.average is None else self.average
            self.average = [momentum * a + (1 - momentum) * w for a, w in zip(mean, weights, strict=True)]

    def _swap(self):
        """Exchange the weights of the network and their mean, once there is one."""
        if self.average is not None:
            weights = self.model.get_weights()
            self.model.set_weights(self.average)
            self.average = weights

    def end(self, epoch: int, means: dict, seconds: float):
        if not np.isfinite([means["loss"], means["val_loss"]]).all():
            raise FloatingPointError(
                f"the loss is no longer a number in epoch {epoch + 1}: lower train.learning_rate "
                f"({self.config.learning_rate:g}) or set train.precision to float32"
            )
        self.history.append({"epoch": epoch + 1, **means, "seconds": seconds})
        self.checkpoint()
        left = np.mean([row["seconds"] for row in self.history]) * (self.config.epochs - epoch - 1)
        print(
            f"epoch {epoch + 1:3d}/{self.config.epochs}  loss {means['loss']:.4f}  dice {means['dice']:.4f}  "
            f"validation loss {means['val_loss']:.4f}  dice {means['val_dice']:.4f}  "
            f"{seconds:.0f} s, {duration(left)} left{'  *' if self.best() == epoch else ''}",
            flush=True,
        )

    def checkpoint(self):
        """Keep the last and the best weights with the history, in one folder that appears whole."""
        done = len(self.history)
        partial, previous = self.folder / "partial", latest_checkpoint(self.folder)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        self.model.save_weights(partial / "last.weights.h5")
        is_best = self.best() == done - 1
        if is_best and self.average is not None:
            self._swap()
            self.model.save_weights(partial / "best.weights.h5")
            self._swap()
        else:
            source = partial / "last.weights.h5" if is_best else previous / "best.weights.h5"
            os.link(source, partial / "best.weights.h5")
        if self.average is not None:
            np.savez(partial / "average.npz", *self.average)
        state = {"identity": self.identity, "history": self.history}
        (partial / "state.json").write_text(json.dumps(state))
        partial.rename(self.folder / f"checkpoint-{done:05d}")
        if previous:
            _remove(previous)


def start_from(model: keras.Model, run: str, fold: int, dataset: dict, tested: pd.DataFrame) -> str:
    """Give `model` the weights of a run, or of ``default``; return the digest of their file.

    They are those of the run's first fold, or, where it holds radiographs that this network is tested on, those of
    the fold that has not learnt from them. Where the run segments another number of structures, the last layer keeps
    the weights it has.

    Parameters
    ----------
    model : keras.Model
    run : str
    fold : int
        The fold that `model` is to be tested on.
    dataset : dict
        The dataset that is to be learnt from, as in ``dataset.json``.
    tested : DataFrame
        Its cases in that fold, as in ``cases.csv``.

    Raises
    ------
    FileNotFoundError
        The run has no such network.
    ValueError
        Its network is another one, or each of its networks has learnt from cases to be tested on.
    """
    blind = _blind_fold(run, fold, dataset, tested)
    file = paths.fold(run, blind) / "model.keras" if blind else paths.weights(run)
    if not file.is_file():
        raise FileNotFoundError(f"train.init: run {run!r} has no trained network ({file} is missing)")
    source = keras.saving.load_model(file, compile=False)
    ours, theirs = ([tuple(w.shape) for w in network.weights] for network in (model, source))
    if ours[:-2] != theirs[:-2]:  # the last two are the output's
        raise ValueError(
            f"train.init: the network of run {run!r} has {source.count_params():,} parameters, this one "
            f"{model.count_params():,}; give both the same contrast, base_filters, growth, depth, stride and batch_norm"
        )
    weights = source.get_weights()
    model.set_weights(weights if ours == theirs else weights[:-2] + model.get_weights()[-2:])
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _blind_fold(run: str, fold: int, dataset: dict, tested: pd.DataFrame) -> int:
    """Return the fold of a run whose network has learnt from none of the cases to be tested on."""
    if not (paths.data(run) / "dataset.json").is_file():  # without its data, the digest of all of them has to do
        record = paths.fold(run, 0) / "train.json"
        same = record.is_file() and json.loads(record.read_text())["fingerprint"] == dataset["fingerprint"]
        return fold if same else 0
    _, _, cases, theirs = load(paths.data(run))
    known = cases["sha256"].isin(tested["sha256"])
    if _collection(theirs["parameters"]) == _collection(dataset["parameters"]):  # perhaps in another size
        known |= cases["case_id"].isin(tested["case_id"])
    folds = cases["fold"][known].unique()
    if len(folds) > 1:  # the network of a fold has learnt from all others
        raise ValueError(
            f"train.init: each network of run {run!r} has learnt from cases that this one would be tested on; "
            "start from a run on other radiographs, or on the same cases in the same folds"
        )
    return int(folds[0]) if len(folds) else 0


def _collection(data: dict) -> tuple:
    """Return what two datasets share in which one ``case_id`` means one radiograph."""
    own = {"phantom": ("seed", "setting"), "folder": ("path",)}.get(data["source"], ())
    return data["source"], *(data[key] for key in own)


def resume(model: keras.Model, folder: Path, identity: dict) -> list[dict]:
    """Load the latest checkpoint of the same work into `model`; return its history, empty where there is none."""
    checkpoint = latest_checkpoint(folder)
    if checkpoint is None:
        return []
    state = json.loads((checkpoint / "state.json").read_text())
    if state["identity"] != identity:
        print(f"{checkpoint} was made with other parameters, data or arithmetic: starting afresh")
        for old in folder.glob("checkpoint-*"):
            _remove(old)
        return []
    model.load_weights(checkpoint / "last.weights.h5")
    print(f"going on after epoch {len(state['history'])}")
    return state["history"]


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint, or None."""
    return max(folder.glob("checkpoint-*"), default=None)


def _remove(checkpoint: Path) -> None:
    """Delete a checkpoint; if killed halfway, what is left of it is taken for none."""
    partial = checkpoint.with_name("partial")
    shutil.rmtree(partial, ignore_errors=True)
    checkpoint.rename(partial)
    shutil.rmtree(partial)


def duration(seconds: float) -> str:
    """Return a duration in the unit that a person would use."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _write(path: Path, write) -> None:
    """Write a file under a temporary name of the same suffix, then rename it into place."""
    partial = path.with_name(f"partial-{path.name}")
    write(partial)
    partial.replace(path)
