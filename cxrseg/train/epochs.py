"""Run the training epochs and write a checkpoint after each, so that an interrupted training can resume."""

import json
import os
import shutil
import time
from pathlib import Path

import keras
import numpy as np

from cxrseg.config import TrainConfig
from cxrseg.files import read_json
from cxrseg.train.batches import Batches, train_epoch, validate


class Epochs:
    """Run the epochs one after another, with a line of output, a checkpoint and an early-stopping test after each.

    Early stopping depends only on the history, so a resumed training stops at the same epoch as an uninterrupted one.
    With ``config.averaging``, a running mean of the weights over the second half of the training is validated and
    kept. Averaged weights lie in a flatter minimum and generalise better to other domains (Cha et al., SWAD: Domain
    Generalization by Seeking Flat Minima, NeurIPS 2021).
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
        means = train_epoch(self.model, batches, lambda number: self.step(epoch + number / len(batches)))
        self._swap()
        means |= validate(self.model, validation)
        self._swap()
        self.end(epoch, means, time.monotonic() - began)

    def step(self, done: float):
        """Update the running mean of the weights if the training is in its second half; `done` counts epochs."""
        momentum = self.config.averaging
        if momentum and 2 * done >= self.config.epochs:
            weights = self.model.get_weights()
            mean = weights if self.average is None else self.average
            self.average = [momentum * a + (1 - momentum) * w for a, w in zip(mean, weights, strict=True)]

    def _swap(self):
        """Swap the current weights and their running mean, if there is one."""
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
        """Save the last weights, the best weights and the history in one folder, which is created atomically."""
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
            remove(previous)


def resume(model: keras.Model, folder: Path, identity: dict) -> list[dict]:
    """Load the latest checkpoint of the same training into `model` and return its history, or an empty list."""
    checkpoint = latest_checkpoint(folder)
    if checkpoint is None:
        return []
    state = read_json(checkpoint / "state.json")
    if state["identity"] != identity:
        print(f"{checkpoint} was made with other parameters, data or arithmetic: starting afresh")
        for old in folder.glob("checkpoint-*"):
            remove(old)
        return []
    model.load_weights(checkpoint / "last.weights.h5")
    print(f"going on after epoch {len(state['history'])}")
    return state["history"]


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint, or None."""
    return max(folder.glob("checkpoint-*"), default=None)


def remove(checkpoint: Path) -> None:
    """Delete a checkpoint. It is renamed first, so that an interrupted deletion leaves no partial checkpoint."""
    partial = checkpoint.with_name("partial")
    shutil.rmtree(partial, ignore_errors=True)
    checkpoint.rename(partial)
    shutil.rmtree(partial)


def duration(seconds: float) -> str:
    """Format a duration in seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
