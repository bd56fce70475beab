"""Checkpoints, and the running mean of the weights."""

import shutil

import numpy as np
import pytest
from samples import SMALL, weights

from cxrseg import hardware
from cxrseg.config import DataConfig
from cxrseg.data.prepare import prepare
from cxrseg.train import epochs
from cxrseg.train import fold as fold_module
from cxrseg.train.fold import train


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train") / "data"
    prepare(DataConfig(image_size=32, cases_per_class={"Normal": 12, "COVID": 12}), folder)
    return folder


def test_averaging_keeps_the_running_mean_of_the_weights(data, tmp_path, monkeypatch):
    """Of the second half of the steps, by a second calculation from what each step left behind."""
    config = SMALL.model_copy(update={"epochs": 2, "averaging": 0.7, "patience": 0})
    seen = []
    noted = epochs.Epochs.step

    def note(self, done):
        seen.append(np.concatenate([w.ravel() for w in self.model.get_weights()]))
        noted(self, done)

    monkeypatch.setattr(epochs.Epochs, "step", note)
    record = train(config, data, tmp_path / "mean")
    half = seen[len(seen) // 2 :]
    by_hand = 0.7 ** (len(half) - 1) * half[0] + 0.3 * sum(0.7**k * w for k, w in enumerate(reversed(half[1:])))
    assert record["best_epoch"] == 2, "the test needs the mean of the last epoch"
    np.testing.assert_allclose(weights(tmp_path / "mean"), by_hand, atol=1e-5)
    assert abs(by_hand - seen[-1]).max() > 1e-4


def test_checkpoint_of_other_work_is_not_taken_up(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fold_module, "write_whole", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    short = SMALL.model_copy(update={"epochs": 1})
    with pytest.raises(KeyboardInterrupt):
        train(short, data, tmp_path / "f")
    monkeypatch.undo()
    train(short.model_copy(update={"seed": 5}), data, tmp_path / "f")
    assert "starting afresh" in capsys.readouterr().out
    train(short.model_copy(update={"seed": 5}), data, tmp_path / "g")
    np.testing.assert_array_equal(weights(tmp_path / "f"), weights(tmp_path / "g"))


def test_a_kill_while_a_checkpoint_is_deleted_leaves_one_that_can_be_taken_up(tmp_path, monkeypatch):
    (tmp_path / "checkpoint-00001").mkdir()
    (tmp_path / "checkpoint-00001" / "state.json").touch()
    (tmp_path / "partial").mkdir()  # left by an earlier kill
    real, calls = epochs.shutil.rmtree, []

    def killed(folder, **options):
        calls.append(folder)
        if len(calls) == 2:
            (folder / "state.json").unlink()
            raise KeyboardInterrupt
        real(folder, **options)

    monkeypatch.setattr(epochs.shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        epochs.remove(tmp_path / "checkpoint-00001")
    assert len(calls) == 2 and epochs.latest_checkpoint(tmp_path) is None


def test_checkpoint_of_other_arithmetic_is_not_taken_up(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fold_module, "write_whole", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    for precision in ("float32", "mixed_bfloat16"):
        monkeypatch.setattr(hardware, "native_precision", lambda precision=precision: precision)
        with pytest.raises(KeyboardInterrupt):
            train(SMALL.model_copy(update={"epochs": 1}), data, tmp_path / "f")
    assert "starting afresh" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_loss_that_is_no_number_stops_with_advice(data, tmp_path):
    with pytest.raises(FloatingPointError, match=r"epoch 1: lower train\.learning_rate"):
        train(
            SMALL.model_copy(update={"learning_rate": 1.0, "precision": "float32"}), poisoned(data, tmp_path), tmp_path
        )
    assert not list(tmp_path.glob("model*"))


def poisoned(data, tmp_path):
    """Return a dataset whose masks hold no numbers, so that no loss is one."""
    folder = tmp_path / "poisoned"
    shutil.copytree(data, folder)
    np.save(folder / "masks.npy", np.load(folder / "masks.npy").astype(np.float32) * np.float32("nan"))
    return folder
