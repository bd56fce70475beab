import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import keras
import numpy as np
import pandas as pd
import pytest

from cxrseg import hardware
from cxrseg import train as module
from cxrseg.config import DataConfig, TrainConfig
from cxrseg.prepare import load, prepare
from cxrseg.train import Batches, dice, split, train

SMALL = TrainConfig(input_size=32, base_filters=4, depth=3, epochs=4, augment=True, learning_rate=2e-3)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train") / "data"
    prepare(DataConfig(image_size=32, cases_per_class={"Normal": 12, "COVID": 12}), folder)
    return folder


def weights(folder):
    model = keras.saving.load_model(folder / "model.keras", compile=False)
    return np.concatenate([w.ravel() for w in model.get_weights()])


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
    assert record["fingerprint"] == load(data)[3]["fingerprint"]
    assert record["hardware"]["cores"] >= 1
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]


KILLED = """
import json, sys
from pathlib import Path
from cxrseg.config import TrainConfig
from cxrseg.train import train
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


def test_batches_come_in_order_and_are_prepared_ahead():
    """The second is begun before the first is done with, and what fails while being prepared fails here."""
    begun = [threading.Event() for _ in range(5)]

    class Numbers(list):
        def __getitem__(self, number):
            begun[number].set()
            if number == 4:
                raise ValueError("the last one cannot be made")
            return number, number

    taken = []
    with pytest.raises(ValueError, match="last one"):
        for number, _ in module.ahead(Numbers(range(5))):
            taken.append(number)
            assert begun[number + 1].wait(timeout=30), "the next batch waits until this one is done"
    assert taken == [0, 1, 2, 3]


def test_averaging_keeps_the_running_mean_of_the_weights(data, tmp_path, monkeypatch):
    """Of the second half of the steps, by a second calculation from what each step left behind."""
    config = SMALL.model_copy(update={"epochs": 2, "averaging": 0.7, "patience": 0})
    seen = []
    noted = module.Epochs.step

    def note(self, done):
        seen.append(np.concatenate([w.ravel() for w in self.model.get_weights()]))
        noted(self, done)

    monkeypatch.setattr(module.Epochs, "step", note)
    record = train(config, data, tmp_path / "mean")
    half = seen[len(seen) // 2 :]
    by_hand = 0.7 ** (len(half) - 1) * half[0] + 0.3 * sum(0.7**k * w for k, w in enumerate(reversed(half[1:])))
    assert record["best_epoch"] == 2, "the test needs the mean of the last epoch"
    np.testing.assert_allclose(weights(tmp_path / "mean"), by_hand, atol=1e-5)
    assert abs(by_hand - seen[-1]).max() > 1e-4


def test_an_epoch_is_that_of_keras_fit(data):
    pixels, masks, *_ = load(data)
    batches = Batches(pixels, masks, np.arange(22), SMALL, epoch=1)  # the last batch is a smaller one
    images, truths = (np.concatenate(part) for part in zip(*(batches[n] for n in range(len(batches))), strict=True))
    ours, theirs = (module.build(SMALL, 1, "float32", 3) for _ in range(2))
    means = module.learn(ours, batches)
    history = theirs.fit(images, truths, batch_size=SMALL.batch_size, shuffle=False, verbose=0).history
    assert means == pytest.approx({name: values[0] for name, values in history.items()}, rel=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    checked = module.check(ours, batches)
    assert checked["val_loss"] == pytest.approx(theirs.evaluate(images, truths, verbose=0)[0], rel=1e-4)


def test_checkpoint_of_other_work_is_not_taken_up(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "_write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        train(SMALL, data, tmp_path / "f")
    monkeypatch.undo()
    train(SMALL.model_copy(update={"seed": 5}), data, tmp_path / "f")
    assert "starting afresh" in capsys.readouterr().out
    train(SMALL.model_copy(update={"seed": 5}), data, tmp_path / "g")
    np.testing.assert_array_equal(weights(tmp_path / "f"), weights(tmp_path / "g"))


def test_a_kill_while_a_checkpoint_is_deleted_leaves_one_that_can_be_taken_up(tmp_path, monkeypatch):
    (tmp_path / "checkpoint-00001").mkdir()
    (tmp_path / "checkpoint-00001" / "state.json").touch()
    (tmp_path / "partial").mkdir()  # left by an earlier kill
    real, calls = module.shutil.rmtree, []

    def killed(folder, **options):
        calls.append(folder)
        if len(calls) == 2:
            (folder / "state.json").unlink()
            raise KeyboardInterrupt
        real(folder, **options)

    monkeypatch.setattr(module.shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        module._remove(tmp_path / "checkpoint-00001")
    assert len(calls) == 2 and module.latest_checkpoint(tmp_path) is None


def test_checkpoint_of_other_arithmetic_is_not_taken_up(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "_write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    for precision in ("float32", "mixed_bfloat16"):
        monkeypatch.setattr(hardware, "native_precision", lambda precision=precision: precision)
        with pytest.raises(KeyboardInterrupt):
            train(SMALL.model_copy(update={"epochs": 1}), data, tmp_path / "f")
    assert "starting afresh" in capsys.readouterr().out


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


def test_split_keeps_test_cases_out_and_is_stratified(data):
    cases = load(data)[2]
    for fold in range(5):
        training, validation, testing = split(cases, fold, 0.2, seed=3)
        assert sorted([*training, *validation, *testing]) == list(range(24))
        assert (cases["fold"].to_numpy()[testing] == fold).all()
        assert set(cases["label"].iloc[validation]) == {"Normal", "COVID"}
    with pytest.raises(ValueError, match="folds 0 to 4"):
        split(cases, 5, 0.2, seed=3)


def test_learning_from_fewer_cases(data):
    _, _, cases, _ = load(data)
    everyone = np.concatenate(split(cases, 1, 0.2, seed=3)[:2])
    drawn = {n: np.concatenate(split(cases, 1, 0.2, seed=3, n=n)[:2]) for n in (6, 12)}
    assert [len(drawn[n]) for n in (6, 12)] == [6, 12]
    assert set(drawn[6]) < set(drawn[12]) < set(everyone)
    training, validation, testing = split(cases, 1, 0.2, seed=3, n=6)
    assert len(training) and len(validation)
    np.testing.assert_array_equal(testing, split(cases, 1, 0.2, seed=3)[2])
    with pytest.raises(ValueError, match=r"train\.cases 25 is more than the"):
        split(cases, 1, 0.2, seed=3, n=25)


def test_batches_depend_on_seed_and_epoch_alone(data):
    pixels, masks, cases, _ = load(data)
    rows = np.arange(len(cases))
    one, two = (Batches(pixels, masks, rows, SMALL, epoch=0) for _ in range(2))
    two[2]  # reading another batch first changes nothing
    assert sorted(one.rows) == list(rows)
    for a, b in zip(one[1], two[1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert (one[0][0] != Batches(pixels, masks, rows, SMALL, epoch=1)[0][0]).any()
    plain = Batches(pixels, masks, rows, SMALL)
    np.testing.assert_array_equal(plain[0][0][..., 0], pixels[:8] / np.float32(255))
    assert sum(len(plain[k][0]) for k in range(len(plain))) == len(cases)


def test_dice_agrees_with_scikit_learn():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    truth = (rng.random((6, 9, 9, 2)) > 0.6).astype(np.float32)
    probability = rng.random((6, 9, 9, 2)).astype(np.float32)
    found = keras.ops.convert_to_numpy(dice(truth, probability))
    expected = [
        np.mean([f1_score(t[..., k].ravel(), p[..., k].ravel() >= 0.5) for k in range(2)])
        for t, p in zip(truth, probability, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert float(dice(truth[:1] * 0, probability[:1] * 0)[0]) == 1


def test_cross_entropy_dice_by_hand():
    truth = np.zeros((1, 2, 2, 1), np.float32)
    truth[0, 0] = 1
    probability = np.array([0.9, 0.6, 0.2, 0.1], np.float32).reshape(1, 2, 2, 1)
    entropy = -(np.log(0.9) + np.log(0.6) + np.log(0.8) + np.log(0.9)) / 4
    soft = (2 * (0.9 + 0.6) + 1) / (2 + 1.8 + 1)
    assert float(module.cross_entropy_dice(truth, probability)[0]) == pytest.approx(entropy + 1 - soft, rel=1e-5)


def test_start_from_another_run(data, tmp_path, monkeypatch):
    monkeypatch.setattr(module.paths, "weights", lambda run: tmp_path / run / "model.keras")
    train(SMALL, data, tmp_path / "first")
    go_on = SMALL.model_copy(update={"init": "first", "epochs": 1, "learning_rate": 1e-9})
    record = train(go_on, data, tmp_path / "second")
    np.testing.assert_allclose(weights(tmp_path / "second"), weights(tmp_path / "first"), atol=1e-6)
    assert len(record["init_sha256"]) == 64
    with pytest.raises(FileNotFoundError, match="'nobody'"):
        train(go_on.model_copy(update={"init": "nobody"}), data, tmp_path / "third")
    with pytest.raises(ValueError, match="parameters, this one"):
        train(go_on.model_copy(update={"base_filters": 8}), data, tmp_path / "third")


def test_start_from_a_run_on_the_same_cases_takes_no_weights_that_have_seen_the_test_part(data, tmp_path, monkeypatch):
    monkeypatch.setattr(module.paths, "runs", lambda: tmp_path)
    shutil.copytree(data, tmp_path / "first" / "data")
    for fold in (0, 2):
        train(SMALL, data, tmp_path / "first" / f"fold-{fold}", fold)
    go_on = SMALL.model_copy(update={"init": "first", "epochs": 1, "learning_rate": 1e-9})
    train(go_on, data, tmp_path / "second" / "fold-2", 2)
    np.testing.assert_allclose(
        weights(tmp_path / "second" / "fold-2"), weights(tmp_path / "first" / "fold-2"), atol=1e-6
    )
    with pytest.raises(FileNotFoundError, match="fold-1"):
        train(go_on, data, tmp_path / "second" / "fold-1", 1)


@pytest.mark.parametrize(
    "changes",
    [{"image_size": 64}, {"structures": ["lungs", "infection"]}, {"cases_per_class": {"Normal": 13, "COVID": 12}}],
    ids=["another size", "more structures", "another draw"],
)
def test_no_start_from_weights_that_have_seen_the_test_part_in_another_dataset(changes, data, tmp_path, monkeypatch):
    monkeypatch.setattr(module.paths, "runs", lambda: tmp_path)
    config = DataConfig(image_size=32, cases_per_class={"Normal": 12, "COVID": 12}).model_copy(update=changes)
    prepare(config, tmp_path / "first" / "data")
    _, _, theirs, _ = load(tmp_path / "first" / "data")
    _, _, ours, dataset = load(data)
    for fold in range(5):
        tested = ours[ours["fold"] == fold]
        try:
            blind = module._blind_fold("first", fold, dataset, tested)
        except ValueError as error:
            assert "train.init" in str(error) and "cases_per_class" in changes
        else:
            assert not set(tested["case_id"]) & set(theirs["case_id"][theirs["fold"] != blind])


def test_phantoms_of_another_seed_are_others(data, tmp_path, monkeypatch):
    monkeypatch.setattr(module.paths, "runs", lambda: tmp_path)
    prepare(DataConfig(image_size=32, seed=5, cases_per_class={"Normal": 12, "COVID": 12}), tmp_path / "first" / "data")
    _, _, cases, dataset = load(data)
    assert module._blind_fold("first", 3, dataset, cases[cases["fold"] == 3]) == 0


def test_the_same_radiographs_are_known_by_their_pixels_and_without_them_by_their_digest(data, tmp_path, monkeypatch):
    monkeypatch.setattr(module.paths, "runs", lambda: tmp_path)
    _, _, cases, dataset = load(data)
    elsewhere = {"source": "folder", "path": "/elsewhere"}  # the folder was moved since
    shutil.copytree(data, tmp_path / "first" / "data")
    content = dataset | {"parameters": dataset["parameters"] | elsewhere}
    (tmp_path / "first" / "data" / "dataset.json").write_text(json.dumps(content))
    assert module._blind_fold("first", 3, dataset, cases[cases["fold"] == 3]) == 3
    shutil.rmtree(tmp_path / "first" / "data")
    (tmp_path / "first" / "fold-0").mkdir()
    for fingerprint, fold in ((dataset["fingerprint"], 3), ("another", 0)):
        (tmp_path / "first" / "fold-0" / "train.json").write_text(json.dumps({"fingerprint": fingerprint}))
        assert module._blind_fold("first", 3, dataset, cases[cases["fold"] == 3]) == fold


def test_start_for_another_number_of_structures(tmp_path, monkeypatch):
    monkeypatch.setattr(module.paths, "weights", lambda run: tmp_path / "lungs.keras")
    lungs, both = (module.build(SMALL, structures, "float32", 1) for structures in (1, 2))
    lungs.save(tmp_path / "lungs.keras")
    both.set_weights([w + 1 for w in both.get_weights()])
    before = both.get_weights()
    module.start_from(both, "default", 0, {}, pd.DataFrame())
    *body, kernel, bias = both.get_weights()
    for ours, theirs in zip(body, lungs.get_weights(), strict=False):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(kernel, before[-2])
    np.testing.assert_array_equal(bias, before[-1])


def test_precision_is_what_the_hardware_does(monkeypatch):
    monkeypatch.setattr(hardware, "gpus", lambda: [])
    for flags, expected in (({"avx512_bf16"}, "mixed_bfloat16"), ({"avx2"}, "float32")):
        monkeypatch.setattr(hardware, "_cpu_flags", lambda flags=flags: flags)
        assert hardware.native_precision() == expected
    for capability, expected in (((9, 0), "mixed_bfloat16"), ((7, 5), "mixed_float16"), ((6, 1), "float32")):
        monkeypatch.setattr(hardware, "gpus", lambda c=capability: [{"name": "GPU", "capability": c}])
        assert hardware.native_precision() == expected


BACKENDS = """
import json, sys
from pathlib import Path
from cxrseg.config import TrainConfig
from cxrseg.train import train
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
