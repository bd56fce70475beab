"""Measure the time per image of the default network in Keras and in onnxruntime.

    python benchmarks/inference_speed.py

Both run by turns, with one image and with sixteen images per batch, from the network's input to its probabilities. The
largest difference of the probabilities is reported. `benchmarks/tryit_speed.py` measures the browser. The script writes
``book/published/inference_speed.json``. A trial run with a number of rounds as argument writes nothing.
"""

import json
import sys
import time

from cxrseg import provenance
from cxrseg.files import write_json

import cxrseg  # isort: skip  # noqa: F401  before Keras: it tells TensorFlow how to compute
import keras
import numpy as np
import onnxruntime
from rounds import alternate, ratio, spread

from cxrseg import models, paths
from cxrseg.phantom import phantom
from cxrseg.train.inputs import network_input

ROUNDS, IMAGES = 20, 16


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    model = keras.saving.load_model(models.weights_file(models.DEFAULT), compile=False)
    session = onnxruntime.InferenceSession(models.graph_file(models.DEFAULT), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    side = model.input_shape[1]
    images = np.stack([phantom(2023, n, "Normal", side).image for n in range(IMAGES)])
    inputs = network_input(images, side)

    def by_keras(batch):
        return np.concatenate([keras.ops.convert_to_numpy(model.predict_on_batch(part)) for part in parts(batch)])

    def by_onnxruntime(batch):
        return np.concatenate([session.run(None, {name: part})[0] for part in parts(batch)])

    def parts(batch):
        return (inputs[start : start + batch] for start in range(0, IMAGES, batch))

    def milliseconds(function, batch):
        began = time.perf_counter()
        function(batch)
        return 1000 * (time.perf_counter() - began) / IMAGES

    difference = float(np.abs(by_keras(IMAGES).reshape(-1) - by_onnxruntime(IMAGES).reshape(-1)).max())
    spent = alternate(
        {
            f"{function.__name__.removeprefix('by_')}_{batch}": lambda function=function, batch=batch: milliseconds(
                function, batch
            )
            for batch in (1, IMAGES)
            for function in (by_keras, by_onnxruntime)
        },
        rounds,
    )
    content = {
        "command": "python benchmarks/inference_speed.py",
        "input_size": side,
        "parameters": model.count_params(),
        "rounds": rounds,
        "largest_difference": difference,
        "milliseconds_per_image": {key: spread(values) for key, values in spent.items()},
        "keras_over_onnxruntime": {
            f"batch_{b}": ratio(spent[f"keras_{b}"], spent[f"onnxruntime_{b}"]) for b in (1, IMAGES)
        },
        "provenance": provenance.record(onnxruntime=onnxruntime.__version__),
    }
    print(json.dumps({key: content[key] for key in ("milliseconds_per_image", "keras_over_onnxruntime")}, indent=1))
    if len(sys.argv) == 1:
        write_json(paths.published() / "inference_speed.json", content)


if __name__ == "__main__":
    main()
