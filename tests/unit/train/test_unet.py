import numpy as np
import pytest

from cxrseg.train.unet import layer_table, unet


def paper_rows(base=32, size=256, depth=5):
    """Derive the paper's layer table by hand: (output, parameters) of each layer that has parameters or pools."""
    rows, channels = [], 1
    for level in range(depth):
        width = base * 2**level
        for _ in range(2):
            rows.append(((size, size, width), 9 * channels * width + width))
            channels = width
        if level < depth - 1:
            size //= 2
            rows.append(((size, size, width), 0))
    for level in reversed(range(depth - 1)):
        width = base * 2**level
        size *= 2
        rows.append(((size, size, width), 4 * channels * width + width))
        rows.append(((size, size, 2 * width), 0))
        channels = 2 * width
        for _ in range(2):
            rows.append(((size, size, width), 9 * channels * width + width))
            channels = width
    return [*rows, ((size, size, 1), channels + 1)]


def test_layers_are_the_papers():
    network = unet(256, 1, 32, 5)
    found = [(layer.output.shape[1:], layer.count_params()) for layer in network.layers[1:]]
    assert found == paper_rows()
    # What the paper prints: the total, and the first rows of its Fig 3.2.
    assert network.count_params() == 7_759_521
    assert [count for _, count in found if count][:6] == [320, 9_248, 18_496, 36_928, 73_856, 147_584]


@pytest.mark.parametrize(("size", "structures", "filters", "depth"), [(64, 2, 4, 3), (32, 1, 8, 4), (48, 3, 2, 2)])
def test_shapes_follow_the_parameters(size, structures, filters, depth):
    network = unet(size, structures, filters, depth)
    probability = network.predict(np.random.default_rng(0).random((2, size, size, 1), np.float32), verbose=0)
    assert probability.shape == (2, size, size, structures)
    assert probability.dtype == np.float32
    assert probability.min() >= 0
    assert probability.max() <= 1


def test_size_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="multiple of 16"):
        unet(100)


def test_layer_table_has_every_layer():
    table = layer_table(unet(64, 1, 4, 3))
    assert table["parameters"].sum() == unet(64, 1, 4, 3).count_params()
    assert table["output"].iloc[0] == "64 x 64 x 1"


@pytest.mark.parametrize("batch_norm", [False, True])
def test_lighter_network(batch_norm):
    network = unet(64, 1, 8, 3, growth=1.5, stride=2, batch_norm=batch_norm)
    probability = network.predict(np.zeros((1, 64, 64, 1), np.float32), verbose=0)
    assert probability.shape == (1, 64, 64, 1)
    convolutions = {layer.name: layer for layer in network.layers if "Conv2D" in type(layer).__name__}
    assert [convolutions[name].filters for name in ("stem", "down0_a", "down1_a", "bottom_a")] == [8, 8, 12, 18]
    assert convolutions["down0_a"].output.shape[1:3] == (32, 32)
    assert any("norm" in layer.name for layer in network.layers) == batch_norm
