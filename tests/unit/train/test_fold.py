import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from samples import SMALL, weights

from cxrseg.config import DataConfig
from cxrseg.data.dataset import Dataset
from cxrseg.data.prepare import prepare
from cxrseg.train.fold import train


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train") / "data"
    prepare(DataConfig(image_size=32, cases_per_class={"Normal": 12, "COVID": 12}), folder)
    return folder


def test_same_seed_gives_the_same_network(data, tmp_path):
    one = train(SMALL, data, tmp_path / "a")
    two = train(SMALL, data, tmp_path / "b")
    other = SMALL.model_copy(update={"seed": 1})
    train(other, data, tmp_path / "c")
    np.testing.assert_array_equal(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert one["validation_dice"] == two["validation_dice"]
    assert (weights(tmp_path / "a") != weights(tmp_path / "c")).any()


def test_record_and_files(data, tmp_path):
    record = train(SMALL, data, tmp_path / "f", fold=2)
    history = pd.read_csv(tmp_path / "f" / "history.csv")
    assert sorted(path.name for path in (tmp_path / "f").iterdir()) == ["history.csv", "model.keras", "train.json"]
    assert len(history) == record["epochs"] == 4
    assert record["best_epoch"] == history["val_loss"].idxmin() + 1
    assert record["n_training"] + record["n_validation"] + record["n_testing"] == 24
    assert record["fingerprint"] == Dataset.load(data).fingerprint
    assert record["hardware"]["cores"] >= 1
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]


KILLED = """
import json, sys
from pathlib import Path
from cxrseg.config import TrainConfig
from cxrseg.train.fold import train
train(TrainConfig(**json.loads(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [{"epochs": 60, "patience": 2, "learning_rate": 5e-3}, {"epochs": 6, "patience": 0, "averaging": 0.8}],
    ids=["early stopping", "averaging"],
)
def test_killed_training_goes_on_to_the_same_end(changes, data, tmp_path):
    """Kill -9 in the middle; the resumed run must equal an uninterrupted one, early stopping included."""
    config = SMALL.model_copy(update=changes)
    straight = train(config, data, tmp_path / "straight")
    if config.patience:
        assert 5 < straight["epochs"] < 60, "the test needs a run that stops early, but not at once"
    command = [sys.executable, "-c", KILLED, config.model_dump_json(), str(data), str(tmp_path / "killed")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not (tmp_path / "killed" / "checkpoint-00003").exists() and time.monotonic() < deadline:
            assert process.poll() is None, "finished before it could be killed"
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
    assert not (tmp_path / "killed" / "train.json").exists()
    resumed = train(config, data, tmp_path / "killed")
    assert resumed["epochs"] == straight["epochs"]
    assert resumed["best_epoch"] == straight["best_epoch"]
    np.testing.assert_array_equal(weights(tmp_path / "killed"), weights(tmp_path / "straight"))
    curves = [pd.read_csv(tmp_path / name / "history.csv").drop(columns="seconds") for name in ("killed", "straight")]
    pd.testing.assert_frame_equal(*curves)


BACKENDS = """
import json, sys
from pathlib import Path
from cxrseg.config import TrainConfig
from cxrseg.train.fold import train
record = train(TrainConfig(input_size=32, base_filters=4, depth=3, epochs=2), Path(sys.argv[1]), Path(sys.argv[2]))
print(json.dumps(record))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_train_too(backend, data, tmp_path):
    pytest.importorskip(backend, reason=f"{backend} is not installed")
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-c", BACKENDS, str(data), str(tmp_path / "f")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    assert record["backend"] == backend
    assert record["epochs"] == 2
