"""The measurement on a graphics card: its rehearsal, and how often training compiles, both under JAX on a processor."""

import json
import os
import subprocess
import sys

import pytest
from support import ROOT

# Compiling is most of what these tests do, and what is compiled need not be fast.
QUICK = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_backend_optimization_level=0"}


@pytest.fixture
def python(tmp_path):
    """Return a function that runs Python on this tree with Keras on JAX."""
    pytest.importorskip("jax", reason="JAX is not installed: pip install jax")

    def call(*arguments) -> subprocess.CompletedProcess:
        environment = os.environ | QUICK | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return call


def rehearsed(python, file, minutes) -> dict:
    python(ROOT / "benchmarks" / "gpu.py", "--rehearse", "--minutes", minutes, "--out", file)
    return json.loads(file.read_text())


@pytest.mark.slow
def test_every_step_is_rehearsed(python, tmp_path):
    """Each has numbers; PyTorch alone may be missing, and then the file says so."""
    found = rehearsed(python, tmp_path / "gpu.json", 14)
    assert list(found)[:2] == ["ratios", "about"] and found["ended"] == "every step was come to"
    assert set(found) == {"ratios", "about", "data", "training", "paper", "recipes", "inference", "ended"}
    failed = [
        (step, key, value)
        for step in ("data", "training", "paper", "recipes", "inference")
        for key, value in leaves(found[step])
        if isinstance(value, str) and value.startswith(("failed", "not measured")) and not key.endswith("torch")
    ]
    assert not failed
    assert len(found["training"]) == 3
    for cell, row in found["training"].items():
        speeds = row["cxrseg"]["images_per_second"]
        assert (
            set(speeds) == {"end_to_end", "ceiling", "on_batch", "fit"} and min(s["low"] for s in speeds.values()) > 0
        )
        ours = speeds["end_to_end"]["median"]
        assert found["ratios"]["end_to_end_over_ceiling"][cell] == pytest.approx(
            ours / speeds["ceiling"]["median"], 1e-3
        )
        assert 0 <= row["cxrseg"]["waits_for_data_share"] <= 1
        assert "No module named 'torch'" in str(row["torch"]) or row["torch"]["eager"] > 0
    folds = {"paper": found["paper"]["fold"], **{name: found["recipes"][name] for name in ("best", "default")}}
    for row in folds.values():
        assert 0 < row["seconds_after_compilation"] < row["seconds"] and row["epochs"] == 1
        assert 0 <= row["waits_for_data_share"] + row["averages_weights_share"] <= 1
    assert found["recipes"]["default_phantoms"]["phantoms_per_second"] > 0


@pytest.mark.slow
def test_it_ends_by_itself_with_what_it_has(python, tmp_path):
    """With almost no time, what is left out is named, and the file is whole."""
    found = rehearsed(python, tmp_path / "gpu.json", 0.05)
    assert found["ended"]
    missed = [value for _, value in leaves(found) if isinstance(value, str) and "was up" in value]
    assert missed


COMPILING = """
import sys
sys.path.insert(0, sys.argv[1])
import cxrseg
import gpu_speed
import numpy as np
from cxrseg.config import TrainConfig
from cxrseg.train.batches import Batches, train_epoch, validate
from cxrseg.train.compile import compile_network

config = TrainConfig(input_size=32, base_filters=2, depth=2, batch_size=4, augment=True, schedule="cosine", epochs=3)
pixels = np.random.default_rng(0).integers(0, 256, (16, 32, 32), np.uint8)
masks = (pixels > 128).astype(np.uint8)[..., None]
compiled = gpu_speed.Compilations()
model = compile_network(config, 1, "float32", 4)
for epoch in range(3):
    train_epoch(model, Batches(pixels, masks, np.arange(int(sys.argv[2])), config, epoch))
    validate(model, Batches(pixels, masks, np.arange(8), config))
print(compiled.steps())
"""


@pytest.mark.parametrize(
    ("images", "steps"),
    [(12, 2), (14, 3)],  # one for training, one for validation, and one more where the last batch is a smaller one
)
def test_nothing_is_compiled_again_from_batch_to_batch(images, steps, python):
    """Not over the batches, nor the epochs, nor as the learning rate moves."""
    done = python("-c", COMPILING, ROOT / "benchmarks", images)
    assert int(done.stdout.splitlines()[-1]) == steps


def leaves(value, key=""):
    """Return the keys and values at the ends of nested dictionaries."""
    if isinstance(value, dict):
        return [leaf for name, part in value.items() for leaf in leaves(part, f"{key}/{name}")]
    return [(key, value)]
