"""Assemble the data of the page "Inside the network": the default network, opened up, and the truth of the samples.

The graph of the network gets an output for the features of each level and, for each skip connection, an input by which
the features that cross are multiplied. Levels are counted from the finest, 0. Encoder and decoder share each but the
lowest, which is the bottom.
"""

import gzip
from pathlib import Path

import numpy as np

from cxrseg import models
from cxrseg.data.square import mask_to_square, to_square
from cxrseg.evaluate.predict import GRID
from cxrseg.report.pages import tryit
from cxrseg.train.inputs import network_input

SHOWN = 4
"""Number of feature maps that the page shows of each block."""


def assemble(target: Path) -> None:
    """Write the opened network and ``data.js``. Unchanged files are left alone.

    Parameters
    ----------
    target : Path
        Output folder.

    Raises
    ------
    RuntimeError
        The package onnx is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise RuntimeError("the page 'Inside the network' needs onnx: pip install 'cxrseg[export]'") from error
    card = models.card()
    opened = open_up(onnx.load(models.graph_file(models.DEFAULT)))
    graph = opened.SerializeToString(deterministic=True)
    samples = [tryit.sample(label, number) for label, number in tryit.SAMPLES]
    squares = np.stack([to_square(made.image, GRID) for made in samples])
    truths = [
        {name: _packed(mask_to_square(getattr(made, name), GRID)) for name in ("lungs", "heart")} for made in samples
    ]
    content = {
        "info": {"input_size": card.input_size, "structures": card.structures, "threshold": card.threshold},
        "blocks": describe(graph, network_input(squares, card.input_size)),
        "truths": truths,
    }
    target.mkdir(parents=True, exist_ok=True)
    tryit.write_part(target, "graph", graph)
    tryit.write_script(target / "data.js", "globalThis.inside", content)


def open_up(model):
    """Return a copy of an exported U-Net whose features can be read, and whose skip connections can be cut.

    Parameters
    ----------
    model : onnx.ModelProto
        Graph of `cxrseg.train.unet.unet`, as `cxrseg.segment.export` writes it.

    Returns
    -------
    onnx.ModelProto
        With the further inputs ``skip0``, ``skip1`` and so on, scalars by which the features that cross at each level
        are multiplied, 1 to leave them and 0 to cut them off. The further outputs ``encoder0``, ``bottom``,
        ``decoder0`` and so on are (n, channels, size, size) float32: the features at the end of each block.
    """
    from onnx import ModelProto, TensorProto, helper, shape_inference

    opened = ModelProto()
    opened.CopyFrom(model)
    graph = opened.graph
    joins = [node for node in graph.node if node.op_type == "Concat"][::-1]
    rises = [node for node in graph.node if node.op_type == "ConvTranspose"]
    last = [node for node in graph.node if node.op_type == "Conv"][-1]
    ends = [rise.input[0] for rise in rises] + [last.input[0]]  # from the bottom up
    features = {f"encoder{level}": join.input[1] for level, join in enumerate(joins)}
    features["bottom"] = ends[0]
    features |= {f"decoder{level}": end for level, end in enumerate(ends[:0:-1])}

    known = {value.name: value for value in shape_inference.infer_shapes(model).graph.value_info}
    for name, tensor in features.items():
        shape = [size.dim_value for size in known[tensor].type.tensor_type.shape.dim[1:]]
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape]))
    for level, join in enumerate(joins):
        graph.input.append(helper.make_tensor_value_info(f"skip{level}", TensorProto.FLOAT, []))
        join.input[1] = f"crossing{level}"
    cuts = [helper.make_node("Mul", [features[f"encoder{k}"], f"skip{k}"], [f"crossing{k}"]) for k in range(len(joins))]
    copies = [helper.make_node("Identity", [tensor], [name]) for name, tensor in features.items()]
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        graph.node.extend([cut for cut in cuts if cut.output[0] in node.input])
        graph.node.append(node)
    graph.node.extend(copies)
    return opened


def describe(graph: bytes, inputs: np.ndarray) -> dict[str, dict]:
    """Return for each block of an opened network its size in pixels, its channels, and the channels to show.

    Parameters
    ----------
    graph : bytes
        A serialised graph of `open_up`.
    inputs : (n, size, size, 1) float32 array
        Radiographs by which the channels are chosen, see `most_varied`.

    Returns
    -------
    dict
        By the name of the block: ``side``, ``channels`` and ``shown``, channel numbers from 0.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()][1:]
    whole = {value.name: np.array(1, np.float32) for value in session.get_inputs()[1:]}
    found = dict(zip(names, session.run(names, {"image": inputs, **whole}), strict=True))
    return {
        name: {"side": maps.shape[-1], "channels": maps.shape[1], "shown": most_varied(maps, SHOWN)}
        for name, maps in found.items()
    }


def most_varied(maps: np.ndarray, count: int) -> list[int]:
    """Return the numbers of the channels with the largest variance over all radiographs and pixels, largest first.

    Parameters
    ----------
    maps : (n, channels, size, size) float array
    count : int
        Number of channels to return at most.
    """
    return np.argsort(-maps.var(axis=(0, 2, 3)), kind="stable")[:count].tolist()


def _packed(mask: np.ndarray) -> str:
    return tryit.text(gzip.compress(mask.astype(np.uint8).tobytes(), 9, mtime=0))
