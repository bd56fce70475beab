"""Whether a picture lies as a radiograph should."""

import numpy as np
import pytest
from samples import CHEST, TEMPLATE

from cxrseg import load_model
from cxrseg.data.square import to_square
from cxrseg.evaluate.predict import Network, predict
from cxrseg.phantom import LABELS, phantom
from cxrseg.segment.export import usual_confidence
from cxrseg.segment.orientation import Orientation, confidence, orientation


def told(network, picture, usual=0.95):
    picture = np.ascontiguousarray(picture)
    return orientation(network, usual, picture, predict(network, picture[None])[0, ..., 0])


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_each_turn_and_polarity_is_told(turned, inverted):
    pytest.importorskip("onnxruntime")
    network = load_model().network
    pictures = [phantom(4, 7, label).image for label in LABELS] + [to_square(phantom(5, 7, "Normal", 300).image, 256)]
    for picture in pictures:
        picture = np.rot90(picture, -turned // 90)  # NumPy turns counter-clockwise
        assert told(network, 255 - picture if inverted else picture) == (turned, inverted)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_network_may_know_one_polarity_only(turned, inverted):
    picture = np.rot90(CHEST, -turned // 90)
    assert told(TEMPLATE, 255 - picture if inverted else picture) == (turned, inverted)


def test_a_flip_upside_down_counts_as_half_a_turn_and_a_mirrored_picture_as_upright():
    pytest.importorskip("onnxruntime")
    network, picture = load_model().network, phantom(4, 8, "Normal").image
    assert told(network, picture[::-1]) == (180, False)
    assert told(network, picture[:, ::-1]) == (0, False)


@pytest.mark.parametrize("probability", [0, 0.4, 0.6, 1])
def test_nothing_is_said_without_lungs(probability):
    network = Network(64, lambda inputs: np.full_like(inputs, probability), ["lungs"])
    for picture in (CHEST, 255 - CHEST, np.random.default_rng(1).integers(0, 256, (256, 256), np.uint8)):
        assert told(network, picture) == Orientation(0, False)


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_network_may_be_sure_of_everything(turned):
    pytest.importorskip("onnxruntime")
    model = load_model()

    def sharpened(inputs):
        probability = model.network.probability(inputs) ** 3
        return probability / (probability + (1 - model.network.probability(inputs)) ** 3)

    structures = model.network.structures
    network, pictures = Network(128, sharpened, structures), [phantom(4, k, "Normal").image for k in range(8)]
    usual = usual_confidence(network, np.stack(pictures))
    assert usual > model.card.confidence
    for picture in pictures:
        assert told(network, np.rot90(picture, -turned // 90), usual) == (turned, False)


def test_usual_confidence_by_hand():
    # Ten pictures, by whose grey level the network is sure of one column of two, and lends the other 0 to 0.36.
    squares = np.repeat(np.arange(10, dtype=np.uint8)[:, None, None] * 10, 2, axis=1).repeat(2, axis=2)
    network = Network(
        2, lambda inputs: np.concatenate([np.ones_like(inputs[:, :, :1]), inputs[:, :, 1:]], axis=2), ["lungs"]
    )
    lent = 80 / 255  # that of the second least sure, which nine of ten reach
    assert usual_confidence(network, squares) == pytest.approx(2 / (2 + lent), abs=0.01)


def test_confidence_by_hand():
    assert confidence(np.zeros((3, 4), np.uint8)) == 0
    assert confidence(np.full((3, 4), 100, np.uint8)) == 0
    assert confidence(np.array([[255, 0], [255, 0]], np.uint8)) == 1
    # One pixel of lung at 0.8 and one beside it at 0.2: twice 0.8 over 0.8 + 0.2 + 1.
    assert confidence(np.array([[204, 51]], np.uint8)) == pytest.approx(0.8)


@pytest.mark.real
def test_real_radiographs_lie_upright(shared):
    from cxrseg.config import DataConfig
    from cxrseg.data.sources.covid_qu_ex import cases

    network = load_model().network
    found = cases(DataConfig(source="covid_qu_ex", path=str(shared / "covid-qu-ex-1500.zip")))[::60]
    wrong = []
    for case in found:
        picture = to_square(case.image(), 256)
        ways = {"upright": (picture, (0, False)), "turned": (np.rot90(picture, 2), (180, False)),
                "inverted": (255 - picture, (0, True))}  # fmt: skip
        wrong += [(case.case_id, name) for name, (changed, said) in ways.items() if told(network, changed) != said]
    # The experiment `turned` finds about one turned film in a hundred that is not noticed.
    assert len(wrong) <= 2, wrong
    assert not [name for _, name in wrong if name == "upright"]
