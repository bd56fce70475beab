"""Processes that train the paper's U-Net in several ways, or multiply matrices, one round whenever they are asked.

`contender` calls this file as ``python contenders.py NAME IMAGES DATA``. PyTorch has a Python of its own, so each
contender imports what it needs itself.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

SIDE, BATCH, WIDTH, DEPTH, RATE = 256, 8, 32, 5, 5e-4
"""Pixels a side, images per step, channels, levels and learning rate of the paper's recipe."""


@contextmanager
def contender(
    name: str, images: int = BATCH, data: Path | str = "", python: Path | str = sys.executable
) -> Iterator[Callable[[], float]]:
    """Start a contender, and end it with the block.

    Parameters
    ----------
    name : str
        One of `CONTENDERS`.
    images : int
        Images of a round, a multiple of 8.
    data : Path
        Prepared dataset of at least so many cases, which only ``cxrseg`` reads.
    python : Path
        The interpreter.

    Yields
    ------
    callable
        Runs one round and returns its time in seconds; of ``limit``, the operations per second.
    """
    # If there is a GPU, all contenders share it, so none may reserve its whole memory.
    shared = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    environment = os.environ | shared | {"TF_CPP_MIN_LOG_LEVEL": "2"}
    if name == "plain":
        environment.pop("TF_ENABLE_ONEDNN_OPTS", None)  # cxrseg sets it
    process = subprocess.Popen(
        [python, __file__, name, str(images), str(data)],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )

    def ask() -> float:
        process.stdin.write(b"go\n")
        answer = process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the contender {name!r} ended: its error is in the log")
        return float(answer)

    try:
        yield ask
    finally:
        process.stdin.close()
        process.wait()


def end_to_end(images: int, data: str):
    """Train as notebook 02 does, but without checkpoints and validation."""
    from cxrseg.data.dataset import Dataset
    from cxrseg.train.batches import Batches, train_epoch

    config, model = network()
    dataset = Dataset.load(Path(data))
    pixels, masks = dataset.images, dataset.masks
    epochs = count()

    def work():
        train_epoch(model, Batches(pixels, masks, range(images), config, epoch=next(epochs)))

    return work


def ceiling(images: int, data: str):
    """Train the same network on arrays in memory, with one call per batch."""
    _, model = network()
    inputs, targets = arrays()

    def work():
        for _ in range(images // BATCH):
            model.train_on_batch(inputs, targets)

    return work


def plain(images: int, data: str):
    """Train in float32 on arrays in memory, as a simple Keras script does."""
    import keras
    import numpy as np

    from cxrseg.train.unet import unet

    model = unet(SIDE, 1, WIDTH, DEPTH)
    model.compile(keras.optimizers.Adam(RATE), "binary_crossentropy", metrics=["binary_accuracy"])
    inputs, targets = (np.concatenate([part] * (images // BATCH)) for part in arrays())

    def work():
        model.fit(inputs, targets, batch_size=BATCH, epochs=1, verbose=0)

    return work


def torch_unet(width: int = WIDTH, depth: int = DEPTH):
    """Return the paper's U-Net as a PyTorch module that maps (n, 1, side, side) images to logits of the same shape."""
    import torch
    from torch import nn

    def double(before, after):
        return nn.Sequential(
            nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.Conv2d(after, after, 3, padding=1), nn.ReLU()
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            widths = [width * 2**level for level in range(depth)]
            self.down = nn.ModuleList(double(a, b) for a, b in zip([1, *widths], widths, strict=False))
            pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
            self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in pairs)
            self.join = nn.ModuleList(double(a, b) for a, b in pairs)
            self.output = nn.Conv2d(width, 1, 1)

        def forward(self, x):
            skips = []
            for level, block in enumerate(self.down):
                x = block(x if level == 0 else nn.functional.max_pool2d(x, 2))
                skips.append(x)
            for up, join, skip in zip(self.up, self.join, skips[-2::-1], strict=True):
                x = join(torch.cat([up(x), skip], 1))
            return self.output(x)

    return Net()


def pytorch(images: int, data: str):
    """Train the same network in PyTorch, with channels last and bfloat16 autocast."""
    import torch
    from torch import nn

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = torch_unet().to(device, memory_format=torch.channels_last)
    assert sum(weight.numel() for weight in model.parameters()) == 7_759_521
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    inputs = torch.rand(BATCH, 1, SIDE, SIDE, device=device).to(memory_format=torch.channels_last)
    targets = (torch.rand(BATCH, 1, SIDE, SIDE, device=device) > 0.5).float()

    def work():
        for _ in range(images // BATCH):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device, torch.bfloat16):
                logits = model(inputs)
            loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), targets)
            loss.backward()
            optimizer.step()
        loss.item()

    return work


def limit(images: int, data: str):
    """Multiply large matrices in the machine's native precision, and return the operations per second."""
    import keras

    from cxrseg import hardware

    side = 4096
    a = keras.ops.cast(keras.random.normal((side, side)), hardware.native_precision().removeprefix("mixed_"))

    def work():
        best = 0.0
        for _ in range(3):
            began = time.perf_counter()
            float(keras.ops.matmul(a, a)[0, 0])
            best = max(best, 2 * side**3 / (time.perf_counter() - began))
        return best

    return work


def network():
    """Return the configuration and the compiled network of the paper's study, with augmentation."""
    from cxrseg import hardware
    from cxrseg.config import TrainConfig
    from cxrseg.train.compile import compile_network

    config = TrainConfig(
        input_size=SIDE, base_filters=WIDTH, depth=DEPTH, batch_size=BATCH, learning_rate=RATE, augment=True
    )
    return config, compile_network(config, 1, hardware.native_precision(), steps_per_epoch=1)


def arrays():
    """Return one random batch of images and masks."""
    import numpy as np

    rng = np.random.default_rng(2023)
    shape = (BATCH, SIDE, SIDE, 1)
    return rng.random(shape, np.float32), (rng.random(shape) > 0.5).astype(np.float32)


CONTENDERS = {"cxrseg": end_to_end, "ceiling": ceiling, "plain": plain, "torch": pytorch, "limit": limit}
"""Functions that prepare a contender and return one that runs a round."""


if __name__ == "__main__":
    round_ = CONTENDERS[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
    for _ in sys.stdin:
        began = time.perf_counter()
        value = round_()
        print(time.perf_counter() - began if value is None else value, flush=True)
