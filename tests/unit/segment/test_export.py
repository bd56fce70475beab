"""A network written for use without Keras is the network that was trained."""

import hashlib
import json
import re

import numpy as np
import pytest
from support import ROOT, cxrseg

pytestmark = pytest.mark.slow
onnxruntime = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


def probabilities(file, inputs):
    return onnxruntime.InferenceSession(str(file)).run(["probability"], {"image": inputs})[0]


def test_answers_as_keras_does(exported, tiny, keras):
    model = keras.saving.load_model(tiny / "fold-0" / "model.keras", compile=False)
    inputs = np.random.default_rng(1).random((3, *model.input_shape[1:]), np.float32)
    found = probabilities(exported, inputs)
    assert found.dtype == np.float32
    assert found.shape == (3, *model.output_shape[1:])
    # Where the run was trained in 16 bits, this is how far Keras itself is off.
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(model(inputs)), atol=0.01)


def test_one_image_or_many(exported):
    inputs = np.random.default_rng(2).random((4, 64, 64, 1), np.float32)
    one_by_one = np.concatenate([probabilities(exported, inputs[k : k + 1]) for k in range(4)])
    np.testing.assert_allclose(probabilities(exported, inputs), one_by_one, atol=1e-6)


def test_says_what_it_is(exported, tiny):
    content = json.loads(exported.with_suffix(".json").read_text())
    summary = json.loads((tiny / "summary.json").read_text())
    assert content["sha256"] == hashlib.sha256(exported.read_bytes()).hexdigest()
    assert content["input_size"] == 64
    assert content["structures"] == ["lungs"]
    assert content["scores"]["dice"] == summary["dice"]["mean"]
    assert "not one real radiograph" in content["trained_on"]
    assert content["agreement"]["dice"] >= 0.999
    assert content.keys() >= {"threshold", "pieces", "study", "run", "commit", "seed"}
    assert content["dataset_fingerprint"] == json.loads((tiny / "data" / "dataset.json").read_text())["fingerprint"]


def test_the_packages_model_card_is_true():
    models = ROOT / "cxrseg" / "models"
    card = re.sub(r"\s+", " ", (models / "default.md").read_text())
    content = json.loads((models / "default.json").read_text())
    real = json.loads((ROOT / "book" / "published" / "zero-shot.json").read_text())
    assert content["sha256"] == hashlib.sha256((models / "default.onnx").read_bytes()).hexdigest()
    assert content["sha256"] == real["experiment"]["default_model"]
    for words in (
        f"{real['parameters']:,} weights", f"commit {content['commit'][:7]}", f"seed {content['seed']}",
        f"{real['others']['n']:,} other real", f"mean {real['others']['mean']:.3f}",
        f"5th percentile {real['others']['p5']:.3f}", f"COVID {real['others']['classes']['COVID']['mean']:.3f}",
        f"{content['scores']['cases']:,} synthetic ones {content['scores']['dice']:.3f}", "Not a medical device",
    ):  # fmt: skip
        assert words in card
    (phantoms,) = re.findall(r"[\d,]+ synthetic", content["trained_on"])
    assert f"**Trained on** {phantoms}" in card


@pytest.mark.parametrize("batch_norm", [False, True])
def test_sixteen_bit_training_exports_in_float32(tmp_path, keras, batch_norm):
    from cxrseg.config import TrainConfig
    from cxrseg.segment.export import _tidy, least_agreement, rebuild
    from cxrseg.train.compile import network

    train = TrainConfig(input_size=32, base_filters=4, depth=3, growth=1.5, stride=2, batch_norm=batch_norm)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        trained = network(train, 2)
    finally:
        keras.config.set_dtype_policy("float32")
    rng = np.random.default_rng(4)
    trained.set_weights([w + rng.random(w.shape, np.float32) / 10 for w in trained.get_weights()])
    trained.save(tmp_path / "model.keras")
    model = rebuild(tmp_path / "model.keras", train)
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    for ours, theirs in zip(model.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    model.export(tmp_path / "model.onnx", format="onnx", verbose=False)
    graph = onnx.load(tmp_path / "model.onnx")
    _tidy(graph, "")
    onnx.save(graph, tmp_path / "model.onnx")
    inputs = rng.random((2, 32, 32, 1), np.float32)
    assert least_agreement(model, tmp_path / "model.onnx", inputs, 0.5) >= 0.999


def test_disagreement_is_an_error_and_leaves_nothing(checkout, exported, tiny, monkeypatch):
    from cxrseg.segment import export

    monkeypatch.chdir(checkout)
    monkeypatch.setattr(export, "least_agreement", lambda *_: 0.99)
    before = exported.read_bytes()
    with pytest.raises(RuntimeError, match=r"tiny.*0\.99.*0\.999"):
        export.export("tiny")
    assert exported.read_bytes() == before
    assert not list(tiny.glob("partial*"))


def test_unknown_run_is_one_line(checkout, tiny):
    done = cxrseg(checkout, "export", "nobody")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "nobody" in done.stderr
