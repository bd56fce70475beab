"""The opened network: that of the package with all skips on, and a Keras model without the skips that are cut."""

import itertools
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from support import without_skips

from cxrseg import models
from cxrseg.phantom import phantom
from cxrseg.report.pages import inside
from cxrseg.train.inputs import network_input

LEVELS = range(4)  # with a skip, from the finest


@pytest.fixture(scope="module")
def inputs():
    images = [phantom(3, k, "Normal", 128, "randomised").image for k in range(2)]
    return network_input(np.stack(images), 128)


@pytest.fixture(scope="module")
def graph():
    opened = inside.open_up(onnx.load(models.graph_file("default")))
    onnx.checker.check_model(opened, full_check=True)
    return opened.SerializeToString()


def run(graph, inputs, skips):
    """Return all outputs of an opened network by their names."""
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    given = {f"skip{level}": np.array(skips[level], np.float32) for level in LEVELS}
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"image": inputs, **given}), strict=True))


def test_with_all_skips_on_it_is_the_network_of_the_package(graph, inputs):
    shipped = onnxruntime.InferenceSession(models.graph_file("default"), providers=["CPUExecutionProvider"])
    expected = shipped.run(["probability"], {"image": inputs})[0]
    np.testing.assert_array_equal(run(graph, inputs, [1, 1, 1, 1])["probability"], expected)


@pytest.mark.parametrize("skips", list(itertools.product([0, 1], repeat=4)), ids=str)
def test_a_skip_that_is_off_is_zeros_in_keras(skips, graph, inputs):
    found = run(graph, inputs, skips)
    expected = without_skips(skips).predict_on_batch(inputs)
    assert found.keys() == expected.keys()
    np.testing.assert_allclose(found.pop("probability"), expected.pop("probability"), atol=1e-4)
    for name, values in expected.items():
        maps = np.moveaxis(values, -1, 1)
        assert found[name].shape == maps.shape, name
        np.testing.assert_allclose(found[name], maps, atol=1e-4 * max(1, maps.max()), err_msg=name)


def test_the_shipped_graph_is_left_as_it_is():
    model = onnx.load(models.graph_file("default"))
    before = model.SerializeToString()
    inside.open_up(model)
    assert model.SerializeToString() == before


def test_blocks_are_those_of_the_u_net(graph, inputs):
    blocks, network = inside.describe(graph, inputs), without_skips([1, 1, 1, 1])
    for name, block in blocks.items():
        assert network.output[name].shape[1:] == (block["side"], block["side"], block["channels"])
        assert len(set(block["shown"])) == 4
        assert max(block["shown"]) < block["channels"]
    assert blocks.keys() == network.output.keys() - {"probability"}


def test_channels_that_vary_most_come_first():
    maps = np.zeros((2, 5, 3, 3))
    maps[1, 3] = 7  # differs between pictures only
    maps[:, 1, 0, 0] = 4  # differs between pixels only
    maps[:, 2] = 100  # large, and the same everywhere
    assert inside.most_varied(maps, 2) == [3, 1]
    assert inside.most_varied(maps, 9) == [3, 1, 0, 2, 4]  # ties in their order, and no more than there are


def test_unchanged_files_are_left_alone(tmp_path):
    inside.assemble(tmp_path)
    first = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    inside.assemble(tmp_path)
    assert {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == first
    assert sorted(first) == ["data.js", "graph.bin", "graph.js"]


def test_without_onnx_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(RuntimeError, match=r"cxrseg\[export\]"):
        inside.assemble(tmp_path / "none")
    assert not (tmp_path / "none").exists()
