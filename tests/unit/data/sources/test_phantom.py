"""Phantoms as a source of cases."""

import pickle
from functools import partial

import pytest
from samples import same

from cxrseg.config import DataConfig
from cxrseg.data.sources import phantom as source
from cxrseg.phantom import phantom


def test_source_lists_the_default_cases_without_making_them(monkeypatch):
    monkeypatch.setattr(source, "_made", partial(pytest.fail, "made a phantom"))
    listed = source.cases(DataConfig())
    assert len(listed) == sum(source.DEFAULT_CASES.values())
    assert len({case.case_id for case in listed}) == len(listed)
    assert {case.label: case.case_id for case in listed[7::100]} == {
        "COVID": "phantom-covid-0007",
        "Non-COVID": "phantom-non-covid-0007",
        "Normal": "phantom-normal-0007",
    }


def test_source_makes_a_case_once_for_image_and_masks(monkeypatch):
    config = DataConfig(structures=["lungs", "infection"], cases_per_class={"COVID": 2}, image_size=64, seed=4)
    source._made.cache_clear()
    case = pickle.loads(pickle.dumps(source.cases(config)[1]))
    image, masks = case.image(), {name: read() for name, read in case.masks.items()}
    assert source._made.cache_info().misses == 1
    assert same(phantom(4, 1, "COVID", 64)[:3], (image, masks["lungs"], masks["infection"]))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"structures": ["lung"]}, "data.structures.*'lung'.*lungs"),
        ({"cases_per_class": {"Covid": 3}}, "data.cases_per_class.*'Covid'.*COVID"),
    ],
)
def test_source_names_what_it_does_not_know(config, words):
    with pytest.raises(ValueError, match=words):
        source.cases(DataConfig(**config))
