"""Write a trained network for use without Keras: ``model.onnx``, and ``model.json`` that says how to use it."""

import hashlib
import json
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from cxrseg import paths, runs
from cxrseg.inputs import CHANNELS, network_input
from cxrseg.metrics import overlap
from cxrseg.prepare import load
from cxrseg.unet import unet

CASES = 32
"""Prepared cases on which Keras and ONNX are compared."""

AGREEMENT = 0.999
"""Least Dice between the mask of Keras and that of ONNX, on every case."""

WEIGHTS_FROM = 64
"""Tensors of at least this many values are stored in half precision where it is asked for."""


def export(run: str, half: bool = False) -> dict:
    """Write ``model.onnx`` and ``model.json`` of a run's first fold into the run's folder.

    The graph maps "image", (n, size, size, channels) float32 as `cxrseg.inputs.network_input` makes it, to
    "probability", (n, size, size, structures) float32. Its arithmetic is float32 whatever the network was
    trained in.

    Parameters
    ----------
    run : str
        An evaluated run.
    half : bool
        Store the weights as float16, which halves the file, and cast them back on loading.

    Returns
    -------
    dict
        The content of ``model.json``: ``input_size``, ``contrast``, ``structures``, ``threshold``, ``pieces``,
        ``study``, ``run``, ``trained_on`` (one sentence), ``dataset_fingerprint``, ``commit``, ``seed`` and
        ``seconds`` of the training, ``scores``, ``weights``, ``agreement`` (the least Dice
        between the masks of Keras and ONNX, and on how many cases) and ``sha256`` of the graph.

    Raises
    ------
    FileNotFoundError
        The run, its network or its scores are not there.
    RuntimeError
        The masks of Keras and ONNX differ by more than `AGREEMENT` allows; nothing is written.
    """
    summary = runs.summary(run)
    fold = paths.fold(run, 0)
    record = json.loads((fold / "train.json").read_text())
    train = record["config"]
    model = rebuild(fold / "model.keras", train)
    partial = paths.run(run) / "partial-model.onnx"
    model.export(partial, format="onnx", verbose=False)
    graph = onnx.load(partial)
    _tidy(graph, f"cxrseg run {run}, study {summary['study']}")
    if half:
        _halve(graph)
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, partial)

    pixels, _, _, dataset = load(paths.data(run))
    rows = np.linspace(0, len(pixels) - 1, min(CASES, len(pixels))).astype(int)
    inputs = network_input(pixels[rows], train["input_size"], train["contrast"])
    threshold = summary["parameters"]["evaluate"]["threshold"]
    agreement = least_agreement(model, partial, inputs, threshold)
    if agreement < AGREEMENT:
        partial.unlink()
        raise RuntimeError(
            f"run {run!r}: the mask of the exported network differs from Keras' (Dice {agreement:.5f} on the "
            f"worst of {len(rows)} cases, expected at least {AGREEMENT})"
        )
    content = {
        "input_size": train["input_size"],
        "contrast": train["contrast"],
        "structures": dataset["structures"],
        "threshold": threshold,
        "pieces": summary["parameters"]["evaluate"]["pieces"],
        "study": summary["study"],
        "run": run,
        "trained_on": _trained_on(summary, train),
        "dataset_fingerprint": record["fingerprint"],
        "commit": record["commit"],
        "seed": train["seed"],
        "seconds": record["seconds"],
        "scores": {
            "cases": summary["n_cases"],
            "dice": summary["dice"]["mean"],
            "ci95": summary["dice"]["ci95"],
            "worst": summary["dice"]["min"],
        },
        "weights": "float16" if half else "float32",
        "agreement": {"dice": agreement, "cases": len(rows)},
        "sha256": hashlib.sha256(partial.read_bytes()).hexdigest(),
    }
    partial.replace(paths.run(run) / "model.onnx")
    runs.write_summary(paths.run(run) / "model.json", content)
    return content


def rebuild(file: Path, train: dict) -> keras.Model:
    """Build the network of a training configuration in float32, with the weights of a Keras file."""
    trained = keras.saving.load_model(file, compile=False)
    # onnxruntime has no bfloat16 convolution; the weights are float32 under every policy of ours.
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        model = unet(
            train["input_size"],
            trained.output_shape[-1],
            train["base_filters"],
            train["depth"],
            channels=CHANNELS[train["contrast"]],
            growth=train["growth"],
            stride=train["stride"],
            batch_norm=train["batch_norm"],
        )
    finally:
        keras.config.set_dtype_policy(policy)
    model.set_weights(trained.get_weights())
    model(np.zeros((1, *model.input_shape[1:]), np.float32))  # the exporter asks for a model called once
    return model


def least_agreement(model: keras.Model, file: Path, inputs: np.ndarray, threshold: float) -> float:
    """Return the least Dice, over cases and structures, between the masks of Keras and of an ONNX file.

    Parameters
    ----------
    model : keras.Model
    file : Path
    inputs : (n, size, size, channels) float32 array
    threshold : float
    """
    ours = keras.ops.convert_to_numpy(model.predict_on_batch(inputs)) >= threshold
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    theirs = session.run(["probability"], {"image": inputs})[0] >= threshold
    pairs = ((a[..., k], b[..., k]) for a, b in zip(ours, theirs, strict=True) for k in range(ours.shape[-1]))
    return min(overlap(a, b)["dice"] for a, b in pairs)


def _tidy(graph: onnx.ModelProto, text: str) -> None:
    """Name what goes in and out, and say what it is."""
    last = graph.graph.output[0]
    for node in graph.graph.node:
        for place, name in enumerate(node.output):
            if name == last.name:
                node.output[place] = "probability"
    last.name = "probability"
    for value in (graph.graph.input[0], last):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    graph.doc_string = text


def _halve(graph: onnx.ModelProto) -> None:
    """Store the large weights as float16; the casts back are folded when the graph is loaded."""
    casts = []
    for tensor in graph.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type == TensorProto.FLOAT and values.size >= WEIGHTS_FROM:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)


def _trained_on(summary: dict, train: dict) -> str:
    """Say in one sentence what the network has seen."""
    data = summary["parameters"]["data"]
    seen = summary["provenance"]["training"][0]["n_training"]
    if data["source"] == "phantom":
        what = f"{seen:,} synthetic chest X-rays ({data['setting']} phantoms) and not one real radiograph"
    else:
        what = f"{seen:,} radiographs of {data['source']}"
    start = f", starting from the weights of run {train['init']}" if train["init"] else ""
    return f"Trained on {what}{start}."
