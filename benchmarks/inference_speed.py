"""Measure the time per image of the default network in Keras and in onnxruntime.

Both run by turns, with one image and with several images per batch, from the network's input to its probabilities. The
largest difference of the probabilities is reported.
"""

import cxrseg  # isort: skip  # noqa: F401  before Keras: it tells TensorFlow how to compute
import keras
import numpy as np
import onnxruntime
from rounds import alternate, ratio, seconds, spread

from cxrseg import models
from cxrseg.phantom import phantom
from cxrseg.publish.experiments import Experiment
from cxrseg.train.inputs import network_input


def measure(experiment: Experiment) -> dict:
    """Return the milliseconds per image of both, and their ratio."""
    rounds, n = experiment.options["rounds"], experiment.options["images"]
    model = keras.saving.load_model(models.weights_file(models.DEFAULT), compile=False)
    session = onnxruntime.InferenceSession(models.graph_file(models.DEFAULT), providers=["CPUExecutionProvider"])
    name, side = session.get_inputs()[0].name, model.input_shape[1]
    inputs = network_input(np.stack([phantom(2023, k, "Normal", side).image for k in range(n)]), side)
    networks = {
        "keras": lambda part: keras.ops.convert_to_numpy(model.predict_on_batch(part)),
        "onnxruntime": lambda part: session.run(None, {name: part})[0],
    }

    def probabilities(network: str, batch: int) -> np.ndarray:
        return np.concatenate([networks[network](inputs[start : start + batch]) for start in range(0, n, batch)])

    def milliseconds(network: str, batch: int) -> float:
        return 1000 * seconds(probabilities, network, batch) / n

    spent = alternate(
        {
            f"{network}_{batch}": lambda network=network, batch=batch: milliseconds(network, batch)
            for batch in (1, n)
            for network in networks
        },
        rounds,
    )
    return {
        "input_size": side,
        "parameters": model.count_params(),
        "rounds": rounds,
        "largest_difference": float(np.abs(probabilities("keras", n) - probabilities("onnxruntime", n)).max()),
        "milliseconds_per_image": {key: spread(values) for key, values in spent.items()},
        "keras_over_onnxruntime": {
            f"batch_{batch}": ratio(spent[f"keras_{batch}"], spent[f"onnxruntime_{batch}"]) for batch in (1, n)
        },
        "contender_versions": {"onnxruntime": onnxruntime.__version__},
    }
