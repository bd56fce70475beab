"""Measure the training speed, in images per second, of the paper's U-Net at 256 x 256 and batch size 8.

    python -m venv /tmp/torch && /tmp/torch/bin/pip install torch
    python benchmarks/train_speed.py --torch /tmp/torch/bin/python

The contenders run by turns, each in its own process: `cxrseg` end to end (from stored pixels, with augmentation, in
the machine's native precision); the same network on random arrays in memory, as an upper limit for `cxrseg`; a simple
Keras script in float32; and, with ``--torch``, PyTorch with channels last and bfloat16 autocast. The arithmetic limit
is the rate of multiplying large matrices in the native precision, divided by the operations of the network per image.
The script writes ``book/published/train_speed.json``. A trial run with ``--rounds`` or ``--images`` writes nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from cxrseg import provenance
from cxrseg.files import write_json
from cxrseg.train.compile import compile_network

SIDE, BATCH, WIDTH, DEPTH, RATE = 256, 8, 32, 5, 5e-4


def main() -> None:
    from rounds import alternate, ratio, spread

    from cxrseg import hardware, paths
    from cxrseg.config import DataConfig
    from cxrseg.data.prepare import prepare

    parser = argparse.ArgumentParser()
    parser.add_argument("--torch", default="", help="a Python that has PyTorch")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--images", type=int, help="in each round, a multiple of 8")
    given = parser.parse_args()
    rounds, images = given.rounds or 6, given.images or 64
    with tempfile.TemporaryDirectory() as folder:
        share = dict.fromkeys(("Normal", "COVID", "Non-COVID"), -(-images * 2 // 3))
        prepare(DataConfig(cases_per_class=share, image_size=SIDE), Path(folder) / "data")
        # If there is a GPU, all contenders share it, so none may reserve its whole memory.
        os.environ |= {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        pythons = dict.fromkeys(("cxrseg", "ceiling", "plain"), sys.executable) | (
            {"torch": given.torch} if given.torch else {}
        )
        children = {name: start(python, name, images, Path(folder) / "data") for name, python in pythons.items()}
        contenders = {name: lambda child=child: images / ask(child) for name, child in children.items()}
        # The matrix rate is converted to images per second, the unit of the other contenders.
        matrices = start(sys.executable, "limit", images, "")
        contenders["limit"] = lambda: ask(matrices)
        speed = alternate(contenders, rounds)
    content = {
        "command": "python benchmarks/train_speed.py --torch python"
        if given.torch
        else "python benchmarks/train_speed.py",
        "image_size": SIDE,
        "batch_size": BATCH,
        "rounds": rounds,
        "images_per_round": images,
        "precision": hardware.native_precision(),
        "gflop_per_image": operations() / 1e9,
        "images_per_second": {name: spread(values) for name, values in speed.items()},
        "cxrseg_over": {name: ratio(speed["cxrseg"], values) for name, values in speed.items() if name != "cxrseg"},
        "matrix_gflop_per_second": spread([value * operations() / 1e9 for value in speed["limit"]]),
        "provenance": provenance.record(torch=version_of(given.torch)),
    }
    print(json.dumps({key: content[key] for key in ("images_per_second", "cxrseg_over")}, indent=1))
    if not (given.rounds or given.images):
        write_json(paths.published() / "train_speed.json", content)


def start(python: str, name: str, images: int, data: Path | str) -> subprocess.Popen:
    """Start a contender process, which runs one round for every `ask`."""
    command = [python, __file__, "--contender", name, str(images), str(data)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}
    environment.pop("TF_ENABLE_ONEDNN_OPTS", None)  # cxrseg sets it itself, plain Keras does not
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )


def ask(child: subprocess.Popen) -> float:
    """Ask a contender to run one round, and return the number that it prints."""
    child.stdin.write("go\n")
    child.stdin.flush()
    answer = child.stdout.readline()
    if not answer:
        sys.exit(f"error: {' '.join(child.args)} ended: call it alone and type 'go' to see why")
    return float(answer)


def answer(name: str, images: int, data: Path) -> None:
    """Run as a contender: for every line of input, run one round and print its time in seconds or its rate."""
    work = {"cxrseg": cxrseg, "ceiling": ceiling, "plain": plain, "torch": torch_best, "limit": limit}[name](
        images, data
    )
    for _ in sys.stdin:
        began = time.perf_counter()
        value = work()
        print(time.perf_counter() - began if value is None else value, flush=True)


def cxrseg(images: int, data: Path):
    """Train as notebook 02 does, but without checkpoints and validation."""
    from cxrseg.data.dataset import Dataset
    from cxrseg.train.batches import Batches, train_epoch

    config, model = network()
    dataset = Dataset.load(data)
    pixels, masks = dataset.images, dataset.masks
    epochs = count()

    def work():
        train_epoch(model, Batches(pixels, masks, range(images), config, epoch=next(epochs)))

    return work


def ceiling(images: int, data: Path):
    """Train the same network on arrays in memory, with one call per batch."""
    _, model = network()
    inputs, targets = arrays()

    def work():
        for _ in range(images // BATCH):
            model.train_on_batch(inputs, targets)

    return work


def plain(images: int, data: Path):
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


def torch_best(images: int, data: Path):
    """Train the same network in PyTorch, with channels last and bfloat16 autocast."""
    import torch
    from torch import nn

    def double(before, after):
        return nn.Sequential(
            nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.Conv2d(after, after, 3, padding=1), nn.ReLU()
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            widths = [WIDTH * 2**level for level in range(DEPTH)]
            self.down = nn.ModuleList(double(a, b) for a, b in zip([1, *widths], widths, strict=False))
            pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
            self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in pairs)
            self.join = nn.ModuleList(double(a, b) for a, b in pairs)
            self.output = nn.Conv2d(WIDTH, 1, 1)

        def forward(self, x):
            skips = []
            for level, block in enumerate(self.down):
                x = block(x if level == 0 else nn.functional.max_pool2d(x, 2))
                skips.append(x)
            for up, join, skip in zip(self.up, self.join, skips[-2::-1], strict=True):
                x = join(torch.cat([up(x), skip], 1))
            return self.output(x)

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = Net().to(device, memory_format=torch.channels_last)
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


def limit(images: int, data: Path):
    """Multiply large matrices in the machine's native precision, and convert the rate to images per second."""
    import keras

    from cxrseg import hardware

    side = 4096
    kind = hardware.native_precision().removeprefix("mixed_")
    a = keras.ops.cast(keras.random.normal((side, side)), kind)

    def work():
        best = 0.0
        for _ in range(3):
            began = time.perf_counter()
            float(keras.ops.matmul(a, a)[0, 0])
            best = max(best, 2 * side**3 / (time.perf_counter() - began))
        return best / operations()

    return work


def network():
    """Return the configuration and the compiled network of the paper's study, with augmentation."""
    from cxrseg import hardware
    from cxrseg.config import TrainConfig

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


def operations() -> int:
    """Count the multiplications and additions to train on one image; the backward pass has twice as many as forward."""
    total, before = 0, 1
    widths = [WIDTH * 2**level for level in range(DEPTH)]
    for level, width in enumerate(widths):
        pixels = (SIDE >> level) ** 2
        total += 2 * 9 * pixels * (before * width + width * width)
        before = width
    for level in reversed(range(DEPTH - 1)):
        width, pixels = widths[level], (SIDE >> level) ** 2
        total += 2 * pixels * 2 * width * width  # 2x2 transposed convolution: one input pixel per output pixel
        total += 2 * 9 * pixels * (2 * width * width + width * width)
    return 3 * (total + 2 * SIDE**2 * WIDTH)


def version_of(python: str) -> str | None:
    if not python:
        return None
    done = subprocess.run([python, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--contender"]:
        answer(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
