"""Training images a second of the paper's U-Net at 256 x 256, batch 8, and what it could be.

    python -m venv /tmp/torch && /tmp/torch/bin/pip install torch
    python benchmarks/train_speed.py --torch /tmp/torch/bin/python

By turns, each in a process of its own: `cxrseg` end to end (from the stored pixels, with augmentation, in the
arithmetic of the machine); the same network on random arrays that lie in memory, which is the ceiling; a plain Keras
script in float32, as one writes it first; and, with ``--torch``, PyTorch with channels last and bfloat16 autocast.
Beside them the arithmetic limit: the rate at which the machine multiplies large matrices in that arithmetic, over the
network's operations for one image. Writes ``book/published/train_speed.json``; with ``--rounds`` or ``--images``, for
a try, nothing.
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
        # One GPU, where there is one, is shared by all.
        os.environ |= {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        pythons = dict.fromkeys(("cxrseg", "ceiling", "plain"), sys.executable) | (
            {"torch": given.torch} if given.torch else {}
        )
        children = {name: start(python, name, images, Path(folder) / "data") for name, python in pythons.items()}
        contenders = {name: lambda child=child: images / ask(child) for name, child in children.items()}
        # Operations a second, as images of this network: of the same unit as the others.
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
    """Start a contender, which trains for one round whenever it is asked."""
    command = [python, __file__, "--contender", name, str(images), str(data)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}
    environment.pop("TF_ENABLE_ONEDNN_OPTS", None)  # what cxrseg sets of itself, plain Keras does not
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )


def ask(child: subprocess.Popen) -> float:
    """Have a contender do one round, and return its number."""
    child.stdin.write("go\n")
    child.stdin.flush()
    answer = child.stdout.readline()
    if not answer:
        sys.exit(f"error: {' '.join(child.args)} ended: call it alone and type 'go' to see why")
    return float(answer)


def answer(name: str, images: int, data: Path) -> None:
    """Be a contender: print the seconds of one round, for every line of input."""
    work = {"cxrseg": cxrseg, "ceiling": ceiling, "plain": plain, "torch": torch_best, "limit": limit}[name](
        images, data
    )
    for _ in sys.stdin:
        began = time.perf_counter()
        value = work()
        print(time.perf_counter() - began if value is None else value, flush=True)


def cxrseg(images: int, data: Path):
    """Train as notebook 02 does, but for its checkpoints and validation."""
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
    """Train the same network on arrays in memory, one call a batch."""
    _, model = network()
    inputs, targets = arrays()

    def work():
        for _ in range(images // BATCH):
            model.train_on_batch(inputs, targets)

    return work


def plain(images: int, data: Path):
    """Train in float32 on arrays in memory, as a first script does."""
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
    """Train PyTorch's form of the network: channels last, bfloat16 where autocast finds it safe."""
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
    """Multiply large matrices in the arithmetic of the machine; return images a second at that rate."""
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
    """Return the configuration and the compiled network of the paper's study, augmentation on."""
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
    """Count the multiplications and additions to learn from one image: forwards once, backwards twice as many."""
    total, before = 0, 1
    widths = [WIDTH * 2**level for level in range(DEPTH)]
    for level, width in enumerate(widths):
        pixels = (SIDE >> level) ** 2
        total += 2 * 9 * pixels * (before * width + width * width)
        before = width
    for level in reversed(range(DEPTH - 1)):
        width, pixels = widths[level], (SIDE >> level) ** 2
        total += 2 * pixels * 2 * width * width  # 2x2 transposed, stride 2: each output pixel from one input pixel
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
