"""Prepare batches of images and masks ahead of the network, and run one training or validation pass over them."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import joblib
import keras
import numpy as np

from cxrseg.config import TrainConfig
from cxrseg.data.dataset import take
from cxrseg.train.augment import augment
from cxrseg.train.inputs import network_input, network_target, resize


class Batches:
    """Batches of (images, masks) whose order and augmentation depend only on the seed and the epoch.

    Keras shuffles with a random state that a resumed run cannot restore.
    """

    def __init__(self, pixels, masks, rows, config: TrainConfig, epoch: int | None = None):
        self.pixels, self.masks, self.config = pixels, masks, config
        self.epoch = epoch  # None means validation: the rows keep their order and are not augmented
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
        return network_input(pixels, size), targets


def train_epoch(model: keras.Model, batches: Batches, after_step: Callable[[int], None] = lambda number: None) -> dict:
    """Take one gradient step per batch and return the mean loss and metrics over all images.

    Keras' ``fit`` gives the same numbers but is slower on two cores, in some epochs by a large factor.
    """
    return _means(model.train_on_batch, batches, after_step)


def validate(model: keras.Model, batches: Batches) -> dict:
    """Return the mean loss and metrics over all validation images, as ``val_<name>``."""
    return {f"val_{name}": mean for name, mean in _means(model.test_on_batch, batches).items()}


def ahead(batches: Batches) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the batches in order while worker threads prepare later ones, so that the GPU does not wait for data.

    Parameters
    ----------
    batches : Batches

    Yields
    ------
    images : (n, size, size, 1) float32 array, 0 to 1
    masks : (n, size, size, structures) float32 array of 0 and 1

    Raises
    ------
    Exception
        If the preparation of a batch fails, its error is raised when that batch is due.
    """
    # One core is left for the network. More than eight workers would only fill memory with waiting batches.
    workers = min(max(1, joblib.cpu_count() - 1), 8)
    pool = ThreadPoolExecutor(workers)  # threads suffice, because NumPy and Pillow release the global interpreter lock
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
