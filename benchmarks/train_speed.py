"""Measure the training speed, in images per second, of the paper's U-Net at 256 x 256 and batch size 8.

The contenders run by turns, each in its own process: `cxrseg` end to end (from stored pixels, with augmentation, in
the machine's native precision); the same network on random arrays in memory, as an upper limit for `cxrseg`; a simple
Keras script in float32; and PyTorch with channels last and bfloat16 autocast. The arithmetic limit is the rate of
multiplying large matrices in the native precision, divided by the operations of the network per image.
"""

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from contenders import BATCH, DEPTH, SIDE, WIDTH, contender
from rounds import alternate, ratio, spread

from cxrseg import hardware, paths
from cxrseg.config import DataConfig
from cxrseg.data.prepare import prepare
from cxrseg.publish.experiments import Experiment


def measure(experiment: Experiment) -> dict:
    """Return the images per second of each contender, and how many times as fast as the others `cxrseg` is."""
    rounds, images, torch = (experiment.options[key] for key in ("rounds", "images", "torch"))
    pythons = dict.fromkeys(("cxrseg", "ceiling", "plain"), sys.executable)
    versions = {}
    if (paths.root() / torch).is_file():
        pythons["torch"] = paths.root() / torch
        versions["torch"] = version_of_torch(pythons["torch"])
    else:
        print(f"PyTorch is not compared with: {torch} does not exist", flush=True)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as processes:
        data = Path(folder) / "data"
        share = dict.fromkeys(("Normal", "COVID", "Non-COVID"), -(-images * 2 // 3))
        prepare(DataConfig(cases_per_class=share, image_size=SIDE), data)
        asked = {n: processes.enter_context(contender(n, images, data, python)) for n, python in pythons.items()}
        multiply = processes.enter_context(contender("limit"))
        contenders = {name: lambda ask=ask: images / ask() for name, ask in asked.items()}
        # The matrix rate is converted to images per second, the unit of the other contenders.
        contenders["limit"] = lambda: multiply() / operations()
        speed = alternate(contenders, rounds)
    return {
        "image_size": SIDE,
        "batch_size": BATCH,
        "rounds": rounds,
        "images_per_round": images,
        "precision": hardware.native_precision(),
        "gflop_per_image": operations() / 1e9,
        "images_per_second": {name: spread(values) for name, values in speed.items()},
        "cxrseg_over": {name: ratio(speed["cxrseg"], values) for name, values in speed.items() if name != "cxrseg"},
        "matrix_gflop_per_second": spread([value * operations() / 1e9 for value in speed["limit"]]),
        "contender_versions": versions,
    }


def operations(side: int = SIDE, width: int = WIDTH, depth: int = DEPTH) -> int:
    """Count the multiplications and additions to train on one image; the backward pass has twice as many as forward."""
    total, before = 0, 1
    widths = [width * 2**level for level in range(depth)]
    for level, after in enumerate(widths):
        pixels = (side >> level) ** 2
        total += 2 * 9 * pixels * (before * after + after * after)
        before = after
    for level in reversed(range(depth - 1)):
        after, pixels = widths[level], (side >> level) ** 2
        total += 2 * pixels * 2 * after * after  # 2x2 transposed convolution: one input pixel per output pixel
        total += 2 * 9 * pixels * (2 * after * after + after * after)
    return 3 * (total + 2 * side**2 * width)


def version_of_torch(python: Path) -> str:
    """Return the version of PyTorch that a Python has.

    Raises
    ------
    ValueError
        It has no PyTorch.
    """
    try:
        command = [python, "-c", "import torch; print(torch.__version__)"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        raise ValueError(f"{python} has no PyTorch: install it, or remove this Python") from None
