"""What a study may set."""

import pytest
from samples import study

from cxrseg.config import EvaluateConfig, TrainConfig, check_parameters


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("train.epochs=many", "train.epochs"),
        ("train.epochs=0", "train.epochs"),
        ("train.learning_rate=-1", "train.learning_rate"),
        ("train.learning_rate=.nan", "train.learning_rate"),
        ("data.folds=1", "data.folds"),
        ("train.input_size=100", "multiple of 16"),
        ("run_folds=9", "run_folds 9 is more than data.folds 5"),
        ("data.image_size=64", "train.input_size"),
        ("data.source=phantoms", "data.source"),
        ("train.epochs", "expected key=value"),
        ("data.path=x.zip", "phantoms come from no file"),
        ("title.x=1", "title has no keys of its own"),
        ("data.patient=^(.+)_", "not with phantom: remove it"),
        ("data={source: folder, labels: {lung: [1]}}", "labels names lung, which is not among structures"),
    ],
)
def test_impossible_value_is_refused_in_one_line(tmp_path, override, named):
    with pytest.raises(ValueError, match=named.replace(".", "\\.")) as error:
        study(tmp_path, "title: x", override)
    assert "\n" not in str(error.value)


def test_configuration_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        TrainConfig().epochs = 3


OWN = "run: str = 'scratch'\nthreshold: float = 0.5  # from which a pixel counts"


@pytest.mark.parametrize(
    ("given", "named"),
    [("tresholds = 0.3", "did you mean 'threshold'"), ("run = 'a'\nzzz = [1]", "no parameter 'zzz'")],
)
def test_unknown_parameter_of_papermill_is_refused_in_one_line(given, named):
    with pytest.raises(ValueError, match=named) as error:
        EvaluateConfig.pick({"In": ["", OWN, f"# Parameters\n{given}\n", "import x"]})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "cells", [[], ["", OWN, "zzz = 3"], ["", OWN, "# Parameters\nrun = 'a'\nthreshold = 0.1\n", "z = 1"]]
)
def test_known_parameters_and_cells_of_ones_own_pass(cells):
    check_parameters({"In": cells, "zzz": 3})
