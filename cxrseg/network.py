"""An exported network: where it lies, what it says of itself, and how it is loaded without Keras."""

import json
from typing import NamedTuple

from cxrseg import paths


class Network(NamedTuple):
    """An exported network: ``session`` of onnxruntime, and ``info``, the content of ``model.json``."""

    session: object
    info: dict


def info(run: str = "default") -> dict:
    """Return ``model.json`` of the network that comes with the package, or of an exported run.

    Raises
    ------
    FileNotFoundError
        It is not there.
    """
    file = paths.model(run)
    if not file.is_file():
        raise FileNotFoundError(
            "this installation has no default model: choose a run with --run, exported by `cxrseg export`"
            if run == "default"
            else f"run {run!r} has no exported network ({file} is missing): cxrseg export {run}"
        )
    return json.loads(file.with_suffix(".json").read_text())


def load(run: str = "default") -> Network:
    """Load the network that comes with the package, or the one that ``cxrseg export`` wrote for a run.

    Raises
    ------
    FileNotFoundError
        It is not there.
    RuntimeError
        onnxruntime is not installed.
    """
    content = info(run)
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise RuntimeError("onnxruntime is not installed: pip install 'cxrseg[segment]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # one radiograph on each core is faster than all cores on one
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(paths.model(run)), options, providers=["CPUExecutionProvider"])
    return Network(session, content)


def describe(content: dict) -> str:
    """Say in two lines what a network was trained on and how it scored.

    Parameters
    ----------
    content : dict
        ``model.json``.
    """
    scores = content["scores"]
    low, high = scores["ci95"]
    return (
        f"{content['trained_on']}\nMean Dice {scores['dice']:.3f} (95% interval {low:.3f} to {high:.3f}) on "
        f"{scores['cases']} test cases of study {content['study']}. Not a medical device."
    )
