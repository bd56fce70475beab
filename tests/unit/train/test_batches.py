"""Batches: their order, their preparation ahead of the network, and a pass over them."""

import threading

import numpy as np
import pytest
from samples import SMALL

from cxrseg.config import DataConfig
from cxrseg.data.dataset import Dataset
from cxrseg.data.prepare import prepare
from cxrseg.train.batches import Batches, ahead, train_epoch, validate
from cxrseg.train.compile import compile_network


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train") / "data"
    prepare(DataConfig(image_size=32, cases_per_class={"Normal": 12, "COVID": 12}), folder)
    return folder


def test_batches_come_in_order_and_are_prepared_ahead():
    """The second is begun before the first is done with, and what fails while being prepared fails here."""
    begun = [threading.Event() for _ in range(5)]

    class Numbers(list):
        def __getitem__(self, number):
            begun[number].set()
            if number == 4:
                raise ValueError("the last one cannot be made")
            return number, number

    taken = []
    with pytest.raises(ValueError, match="last one"):
        for number, _ in ahead(Numbers(range(5))):
            taken.append(number)
            assert begun[number + 1].wait(timeout=30), "the next batch waits until this one is done"
    assert taken == [0, 1, 2, 3]


def test_an_epoch_is_that_of_keras_fit(data):
    dataset = Dataset.load(data)
    pixels, masks = dataset.images, dataset.masks
    batches = Batches(pixels, masks, np.arange(22), SMALL, epoch=1)  # the last batch is a smaller one
    images, truths = (np.concatenate(part) for part in zip(*(batches[n] for n in range(len(batches))), strict=True))
    ours, theirs = (compile_network(SMALL, 1, "float32", 3) for _ in range(2))
    means = train_epoch(ours, batches)
    history = theirs.fit(images, truths, batch_size=SMALL.batch_size, shuffle=False, verbose=0).history
    assert means == pytest.approx({name: values[0] for name, values in history.items()}, rel=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    checked = validate(ours, batches)
    assert checked["val_loss"] == pytest.approx(theirs.evaluate(images, truths, verbose=0)[0], rel=1e-4)


def test_batches_depend_on_seed_and_epoch_alone(data):
    dataset = Dataset.load(data)
    pixels, masks, cases = dataset.images, dataset.masks, dataset.cases
    rows = np.arange(len(cases))
    one, two = (Batches(pixels, masks, rows, SMALL, epoch=0) for _ in range(2))
    two[2]  # reading another batch first changes nothing
    assert sorted(one.rows) == list(rows)
    for a, b in zip(one[1], two[1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert (one[0][0] != Batches(pixels, masks, rows, SMALL, epoch=1)[0][0]).any()
    plain = Batches(pixels, masks, rows, SMALL)
    np.testing.assert_array_equal(plain[0][0][..., 0], pixels[:8] / np.float32(255))
    assert sum(len(plain[k][0]) for k in range(len(plain))) == len(cases)
