import pytest

from cxrseg.config import DataConfig, Study, TrainConfig
from cxrseg.studies import differences, read_study, write_study


def study(tmp_path, text="", *overrides):
    file = tmp_path / "mine.yml"
    file.write_text(text)
    return read_study(file, list(overrides))


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("train.epoch=3", "train.epochs"),
        ("trian.epochs=3", "train"),
        ("run_fold=5", "run_folds"),
        ("epochs=3", "train.epochs"),
    ],
)
def test_unknown_key_names_the_near_match(tmp_path, override, expected):
    with pytest.raises(ValueError, match=f"unknown key .*did you mean {expected}\\?"):
        study(tmp_path, "", override)


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
    ],
)
def test_impossible_value_is_refused_in_one_line(tmp_path, override, named):
    with pytest.raises(ValueError, match=named.replace(".", "\\.")) as error:
        study(tmp_path, "title: x", override)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["train: [1", "- a\n- b", "just words"])
def test_not_a_study_names_the_file(tmp_path, text):
    with pytest.raises(ValueError, match=r"mine\.yml"):
        study(tmp_path, text)


def test_missing_study_lists_the_known(tmp_path):
    (tmp_path / "demo.yml").write_text("")
    with pytest.raises(ValueError, match=r"did you mean demo\?"):
        read_study(tmp_path / "demmo.yml")


def test_written_study_reads_back_the_same(tmp_path):
    first = study(tmp_path, "title: T", "train.epochs=7", "data.cases_per_class={COVID: 3}", "train.learning_rate=5e-4")
    write_study(first, tmp_path / "copy.yml")
    assert read_study(tmp_path / "copy.yml") == first
    assert first.train.learning_rate == 5e-4
    assert first.name == "mine"


def test_differences_name_dotted_keys():
    a = Study()
    b = Study(train=TrainConfig(epochs=3), data=DataConfig(cases_per_class={"COVID": 2}))
    assert differences(a, b) == {"train.epochs": (25, 3), "data.cases_per_class": ({}, {"COVID": 2})}


def test_configuration_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        TrainConfig().epochs = 3
