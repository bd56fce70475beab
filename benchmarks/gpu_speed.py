"""The parts of `gpu.py` that time the paper's U-Net under Keras on JAX: training, matrix products, inference."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import jax
import keras
import numpy as np
from contenders import DEPTH, RATE, SIDE, WIDTH
from rounds import alternate, ratio, seconds, spread
from train_speed import operations

import cxrseg.train.batches as loop
from cxrseg import models
from cxrseg.config import TrainConfig
from cxrseg.data.dataset import Dataset
from cxrseg.train.batches import Batches, train_epoch
from cxrseg.train.compile import compile_network

PRECISIONS = {
    "bfloat16": ("mixed_bfloat16", "default"),
    "tf32": ("float32", "tensorfloat32"),
    "float32": ("float32", "highest"),
}
"""Keras' dtype policy and JAX's precision of products of float32. JAX's own default on an NVIDIA card is TF32."""


@dataclass(frozen=True)
class Size:
    """How much is measured: the paper's network for some seconds, or as little as rehearses every line."""

    side: int = SIDE
    width: int = WIDTH
    depth: int = DEPTH
    seconds: float = 1.5
    rounds: int = 3
    matrix: int = 8192


class Compilations:
    """Listen to XLA's compilations from when this is made: their seconds, and the names of what was compiled."""

    def __init__(self):
        self.durations: list[float] = []
        self.names: list[str] = []
        jax.monitoring.register_event_duration_secs_listener(self._heard)

    def _heard(self, event: str, duration: float, fun_name: str = "", **_):
        if event == "/jax/core/compile/backend_compile_duration":
            self.durations.append(duration)
            self.names.append(fun_name)

    def steps(self) -> int:
        """Return how many steps of training and validation were compiled: one for each size of batch is right."""
        return sum("train_step" in name or "test_step" in name for name in self.names)

    def seconds(self) -> float:
        """Return the sum of their seconds."""
        return sum(self.durations)


@contextmanager
def waits() -> Iterator[list[float]]:
    """Yield a list to which every pass of the training loop adds the seconds that it waited for data."""
    own, waited = loop.ahead, []

    def ahead(batches):
        source = own(batches)
        while True:
            began = time.perf_counter()
            batch = next(source, None)
            waited.append(time.perf_counter() - began)
            if batch is None:
                return
            yield batch

    loop.ahead = ahead
    try:
        yield waited
    finally:
        loop.ahead = own


@contextmanager
def spent_in(owner: type, name: str) -> Iterator[list[float]]:
    """Yield a list to which every call of a method adds its seconds."""
    own, spent = getattr(owner, name), []

    def timed(*arguments):
        began = time.perf_counter()
        own(*arguments)
        spent.append(time.perf_counter() - began)

    setattr(owner, name, timed)
    try:
        yield spent
    finally:
        setattr(owner, name, own)


def matrix_rates(size: Size) -> dict[str, float]:
    """Return the operations per second of large matrix products in each precision."""
    rates = {}
    for name, (policy, products) in PRECISIONS.items():
        a = jax.random.normal(jax.random.key(0), (size.matrix, size.matrix))
        a = a.astype("bfloat16" if "bfloat16" in policy else "float32")
        with jax.default_matmul_precision(products):
            multiply = jax.jit(lambda a: a @ a)
            multiply(a).block_until_ready()
            took = []
            for _ in range(5):
                began = time.perf_counter()
                for _ in range(5):
                    product = multiply(a)
                product.block_until_ready()
                took.append((time.perf_counter() - began) / 5)
        rates[name] = 2 * size.matrix**3 / float(np.median(took))
    return rates


def training(precision: str, batch: int, data: Path, size: Size) -> dict:
    """Return the images per second of training in several ways, by turns, and their ratios.

    ``end_to_end`` is `cxrseg`'s own loop on stored pixels, with augmentation. ``ceiling`` is its compiled step on one
    batch that lies on the card, with nothing in between. ``on_batch`` is ``train_on_batch`` on arrays of the host: what
    lies between it and the ceiling is Python and the way to the card; between it and ``end_to_end``, the data. ``fit``
    is plain Keras on arrays of the host; it compiles the step once more, because its batches have another form.
    """
    policy, products = PRECISIONS[precision]
    config = TrainConfig(
        input_size=size.side, base_filters=size.width, depth=size.depth, batch_size=batch, learning_rate=RATE,
        augment=True,
    )  # fmt: skip
    rng = np.random.default_rng(2023)
    inputs = rng.random((batch, size.side, size.side, 1), np.float32)
    targets = (inputs > 0.5).astype(np.float32)
    compiled = Compilations()
    with jax.default_matmul_precision(products):
        model = compile_network(config, 1, policy, 1)
        model.train_on_batch(inputs, targets)
        resident = Resident(model, inputs, targets)
        resident.steps(1)
        number = max(2, round(size.seconds / (seconds(resident.steps, 4) / 4)))
        dataset = Dataset.load(data)
        rows = np.resize(np.arange(len(dataset.cases)), number * batch)
        many = [np.concatenate([part] * min(number, 16)) for part in (inputs, targets)]  # more would fill the memory
        waited, spent = [], []

        def end_to_end():
            with waits() as pauses:
                epoch = Batches(dataset.images, dataset.masks, rows, config, epoch=len(spent))
                spent.append(seconds(train_epoch, model, epoch))
            waited.append(sum(pauses))
            return len(rows) / spent[-1]

        def on_batch():
            for _ in range(number):
                model.train_on_batch(inputs, targets)

        def fit():
            model.fit(*many, batch_size=batch, epochs=1, verbose=0)

        speeds = alternate(
            {
                "end_to_end": end_to_end,
                "ceiling": lambda: number * batch / seconds(resident.steps, number),
                "on_batch": lambda: number * batch / seconds(on_batch),
                "fit": lambda: len(many[0]) / seconds(fit),
            },
            size.rounds,
        )
    return {
        "images_per_second": {name: spread(values) for name, values in speeds.items()},
        "end_to_end_over": {name: ratio(speeds["end_to_end"], speeds[name]) for name in speeds if name != "end_to_end"},
        "waits_for_data_share": sum(waited[1:]) / sum(spent[1:]),  # the first round is a warm-up
        "steps_per_round": number,
        "steps_compiled": compiled.steps(),
        "compile_seconds": compiled.seconds(),
    }


class Resident:
    """The training step of a compiled Keras model on a batch that stays on the card, its state on the card as well."""

    def __init__(self, model: keras.Model, inputs: np.ndarray, targets: np.ndarray):
        parts = (
            model.trainable_variables, model.non_trainable_variables,
            model.optimizer.variables, model.metrics_variables,
        )  # fmt: skip
        # The step gives its state's memory away, so it works on copies: the model keeps its own.
        self.state = tuple([jax.numpy.array(v.value, copy=True) for v in part] for part in parts)
        self.batches = repeat(jax.device_put((inputs, targets, None)))
        self.step = model.train_function  # compiled by the model's first step: a second one would compile again

    def steps(self, number: int) -> None:
        """Take so many steps, and wait until the card is done."""
        for _ in range(number):
            _, self.state = self.step(self.state, self.batches)
        jax.block_until_ready(self.state)


def pytorch(precision: str, batch: int, size: Size, timeout: float) -> dict:
    """Return what `gpu_torch.py` prints of the same network.

    Raises
    ------
    RuntimeError
        It failed, as where PyTorch is not installed.
    subprocess.TimeoutExpired
    """
    arguments = [precision, batch, size.side, size.width, size.depth, size.seconds]
    command = [sys.executable, str(Path(__file__).with_name("gpu_torch.py")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no message"])[-1])
    return json.loads(done.stdout.splitlines()[-1])


def network(precision: str, size: Size) -> keras.Model:
    """Return the paper's network with random weights."""
    config = TrainConfig(input_size=size.side, base_filters=size.width, depth=size.depth)
    return compile_network(config, 1, PRECISIONS[precision][0], 1)


def shipped() -> keras.Model:
    """Return the default model."""
    return keras.saving.load_model(models.weights_file(models.DEFAULT), compile=False)


def inference(load: Callable[[], keras.Model], precision: str, batch: int, size: Size) -> dict[str, float]:
    """Return the images per second from arrays of the host to probabilities on the host."""
    with jax.default_matmul_precision(PRECISIONS[precision][1]):
        model = load()
        inputs = np.random.default_rng(0).random((batch, *model.input_shape[1:]), np.float32)

        def predict(times: int):
            for _ in range(times):
                model.predict_on_batch(inputs)  # returns an array of the host

        predict(2)  # compiles
        times = max(2, round(size.seconds / size.rounds / seconds(predict, 1)))
        return spread([times * batch / seconds(predict, times) for _ in range(size.rounds)])


def train_operations(size: Size) -> int:
    """Count the operations of training on one image."""
    return operations(size.side, size.width, size.depth)
