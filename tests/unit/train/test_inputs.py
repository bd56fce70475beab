"""What the network sees."""

import numpy as np

from cxrseg.train.inputs import network_input, network_target


def test_inputs_are_averaged_not_sampled():
    stripes = np.zeros((1, 64, 64), np.uint8)
    stripes[:, :, ::2] = 255
    assert network_input(stripes, 64).max() == 1
    assert np.abs(network_input(stripes, 16)[:, 2:-2, 2:-2] - 0.5).max() < 0.05
    mask = np.zeros((1, 64, 64, 2), np.uint8)
    mask[:, 8:24, 8:24, 1] = 1
    target = network_target(mask, 16)
    assert target[0, ..., 1].sum() == 16
    assert target[0, ..., 0].sum() == 0
