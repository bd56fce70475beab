"""Export a trained network for use without Keras: the graph ``model.onnx`` and the model card ``model.json``."""

import hashlib
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime

from cxrseg import models, paths, runs
from cxrseg.config import TrainConfig
from cxrseg.data.dataset import Dataset
from cxrseg.evaluate.metrics import overlap
from cxrseg.evaluate.predict import Network, load_keras, predict
from cxrseg.files import read_json, write_json
from cxrseg.models import ModelCard
from cxrseg.segment.orientation import confidence
from cxrseg.train.compile import network
from cxrseg.train.inputs import network_input

CASES = 32
"""Number of prepared cases on which Keras and ONNX are compared."""

TESTED = 300
"""Number of test cases on which the usual confidence of the network is measured."""

AGREEMENT = 0.999
"""Lowest accepted Dice between the masks of Keras and ONNX for any case."""


def export(run: str) -> ModelCard:
    """Write ``model.onnx`` and ``model.json`` of a run's first fold to the run's folder.

    The graph maps "image", the (n, size, size, 1) float32 array of `cxrseg.train.inputs.network_input`, to
    "probability", an (n, size, size, outputs) float32 array, see `cxrseg.models.outputs`. It computes in float32
    whatever the precision of the training.

    Parameters
    ----------
    run : str
        An evaluated run.

    Returns
    -------
    ModelCard
        The content of ``model.json``.

    Raises
    ------
    FileNotFoundError
        The run, its network or its scores do not exist.
    RuntimeError
        The masks of Keras and ONNX differ by more than `AGREEMENT` allows. Nothing is written in this case.
    """
    summary = runs.summary(run)
    fold = paths.fold(run, 0)
    record = read_json(fold / "train.json")
    train = TrainConfig(**record["config"])
    model = rebuild(models.weights_file(run), train)
    partial = paths.run(run) / "partial-model.onnx"
    model.export(partial, format="onnx", verbose=False)
    graph = onnx.load(partial)
    _tidy(graph, f"cxrseg run {run}, study {summary['study']}")
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, partial)

    dataset = Dataset.load(paths.data(run))
    rows = np.linspace(0, len(dataset.images) - 1, min(CASES, len(dataset.images))).astype(int)
    inputs = network_input(dataset.images[rows], train.input_size)
    cut = summary["parameters"]["evaluate"]
    agreement = least_agreement(model, partial, inputs, cut["threshold"])
    if agreement < AGREEMENT:
        partial.unlink()
        raise RuntimeError(
            f"run {run!r}: the mask of the exported network differs from Keras' (Dice {agreement:.5f} on the "
            f"worst of {len(rows)} cases, expected at least {AGREEMENT})"
        )
    tested = np.flatnonzero(dataset.cases["fold"] == 0)
    tested = tested[np.linspace(0, len(tested) - 1, min(TESTED, len(tested))).astype(int)]
    card = ModelCard(
        input_size=train.input_size,
        structures=dataset.structures,
        threshold=cut["threshold"],
        pieces=cut["pieces"],
        study=summary["study"],
        run=run,
        trained_on=_trained_on(summary, train),
        dataset_fingerprint=record["fingerprint"],
        commit=record["commit"],
        seed=train.seed,
        seconds=record["seconds"],
        scores={
            "cases": summary["n_cases"],
            "dice": summary["dice"]["mean"],
            "ci95": summary["dice"]["ci95"],
            "confidence": summary["dice"]["confidence"],
            "worst": summary["dice"]["min"],
        },
        confidence=usual_confidence(load_keras([models.weights_file(run)], dataset.structures), dataset.images[tested]),
        agreement={"dice": agreement, "cases": len(rows)},
        sha256=hashlib.sha256(partial.read_bytes()).hexdigest(),
    )
    partial.replace(models.graph_file(run))
    write_json(models.card_file(run), card.to_dict())
    return card


def rebuild(file: Path, config: TrainConfig) -> keras.Model:
    """Build the network of a training configuration in float32, with the weights of a Keras file."""
    trained = models.load(file)
    # onnxruntime has no bfloat16 convolution. The stored weights are float32 under every precision of a study.
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        model = network(config, trained.output_shape[-1])
    finally:
        keras.config.set_dtype_policy(policy)
    model.set_weights(trained.get_weights())
    model(np.zeros((1, *model.input_shape[1:]), np.float32))  # the exporter needs a model that has been called
    return model


def least_agreement(model: keras.Model, file: Path, inputs: np.ndarray, threshold: float) -> float:
    """Return the lowest Dice, over cases and structures, between the masks of a Keras model and of an ONNX file.

    Parameters
    ----------
    model : keras.Model
    file : Path
    inputs : (n, size, size, 1) float32 array
    threshold : float
    """
    ours = keras.ops.convert_to_numpy(model.predict_on_batch(inputs)) >= threshold
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    theirs = session.run(["probability"], {"image": inputs})[0] >= threshold
    pairs = ((a[..., k], b[..., k]) for a, b in zip(ours, theirs, strict=True) for k in range(ours.shape[-1]))
    return min(overlap(a, b)["dice"] for a, b in pairs)


def usual_confidence(network: Network, squares: np.ndarray) -> float:
    """Return the confidence that a network reaches or exceeds in nine of ten radiographs.

    Parameters
    ----------
    network : Network
    squares : (n, side, side) uint8 array
        Radiographs that it has not learnt from.
    """
    return float(np.percentile([confidence(predict(network, one[None])[0, ..., 0]) for one in squares], 10))


def _tidy(graph: onnx.ModelProto, text: str) -> None:
    """Name the batch axis and the output of the graph, and set its description."""
    last = graph.graph.output[0]
    for node in graph.graph.node:
        for place, name in enumerate(node.output):
            if name == last.name:
                node.output[place] = "probability"
    last.name = "probability"
    for value in (graph.graph.input[0], last):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    graph.doc_string = text


def _trained_on(summary: dict, train: TrainConfig) -> str:
    """Describe the training data of the network in one sentence."""
    data = summary["parameters"]["data"]
    seen = summary["provenance"]["training"][0]["n_training"]
    if data["source"] == "phantom":
        what = f"{seen:,} synthetic chest X-rays ({data['setting']} phantoms) and not one real radiograph"
    else:
        what = f"{seen:,} radiographs of {data['source']}"
    start = f", starting from the weights of run {train.init}" if train.init else ""
    return f"Trained on {what}{start}."
