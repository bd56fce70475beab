import pytest
from samples import study

from cxrseg.config import DataConfig, Study, TrainConfig
from cxrseg.studies import differences, read_study, read_sweep, write_study


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


def test_nothing_after_the_equals_sign_is_an_empty_text(tmp_path):
    assert study(tmp_path, "train: {init: default}", "train.init=").train.init == ""
    with pytest.raises(ValueError, match="train\\.epochs = ''"):
        study(tmp_path, "", "train.epochs=")


def test_an_empty_section_takes_a_key(tmp_path):
    assert study(tmp_path, "train:\n", "train.epochs=3").train.epochs == 3


@pytest.mark.parametrize("text", ["train: [1", "- a\n- b", "just words", "on: 3", "2023: x"])
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


def sweep(tmp_path, text, *overrides):
    file = tmp_path / "mine.yml"
    file.write_text(text)
    return read_sweep(file, list(overrides))


def test_listed_values_become_one_study_each_in_their_order(tmp_path):
    studies = sweep(tmp_path, "train: {base_filters: [32, 8, 16], epochs: 3}")
    assert list(studies) == ["-base_filters=32", "-base_filters=8", "-base_filters=16"]
    assert [study.train.base_filters for study in studies.values()] == [32, 8, 16]
    assert {(study.name, study.train.epochs) for study in studies.values()} == {("mine", 3)}


def test_several_lists_are_combined_and_an_override_replaces_one(tmp_path):
    text = "run_folds: [1, 5]\ntrain: {augment: [false, true], learning_rate: 1e-3}"
    assert len(sweep(tmp_path, text)) == 4
    studies = sweep(tmp_path, text, "run_folds=2", "train.learning_rate=[1e-3, 5e-4]")
    # In the order of the configuration. YAML reads 1e-3 as text; the names are those of the numbers.
    assert set(studies) == {f"-learning_rate={r}-augment={a}" for a in ("false", "true") for r in ("0.001", "0.0005")}
    assert {study.run_folds for study in studies.values()} == {2}


def test_a_key_that_is_a_list_is_no_sweep(tmp_path):
    ((suffix, study),) = sweep(tmp_path, "data: {structures: [lungs, infection]}").items()
    assert suffix == "" and study.data.structures == ["lungs", "infection"]


def test_names_of_a_sweep_suit_folders_and_tell_keys_apart(tmp_path):
    names = list(
        sweep(tmp_path, "data: {seed: [1, 2], source: rsua, path: [a b/c.zip]}\ntrain: {seed: [3], init: ['']}")
    )
    assert names == [f"-path=a_b_c.zip-data.seed={seed}-init=none-train.seed=3" for seed in (1, 2)]


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("train.base_filters=[8, 8]", "two runs of the sweep would both be called …-base_filters=8"),
        ("train.base_filters=[]", "train.base_filters lists no value"),
        ("train.base_filters=[8, many]", "train.base_filters = 'many'"),
        ("train.base_filters=[8, [16]]", "train.base_filters = [16]"),
        ("train.base_filter=[8, 16]", "unknown key train.base_filter (did you mean train.base_filters?)"),
        ("train.input_size=[128, 100]", "input_size 100 does not suit"),
        ("title=[a, b]", "title = ['a', 'b']"),
        ("train=[1, 2]", "train = [1, 2]"),
        ("data.cases_per_class=[{COVID: 3}]", "data.cases_per_class = [{'COVID': 3}]"),
    ],
)
def test_impossible_sweep_is_refused_in_one_line(tmp_path, override, named):
    with pytest.raises(ValueError) as error:
        sweep(tmp_path, "", override)
    assert named in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["train: {epochs: 2}\ntrain: {augment: true}", "train:\n  epochs: 1\n  epochs: 2"])
def test_a_key_that_is_given_twice_is_refused(tmp_path, text):
    file = tmp_path / "mine.yml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"mine\.yml.*(train|epochs)' is given twice.*line [23]") as caught:
        read_study(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "override",
    ["train.epochs=true", "train.epochs=1:30", "run_folds=1:30.0", "data.seed=4294967296", "run_folds=yes"],
)
def test_a_number_is_a_number(tmp_path, override):
    (tmp_path / "mine.yml").write_text("{}")
    with pytest.raises(ValueError, match=override.partition("=")[0]):
        read_study(tmp_path / "mine.yml", [override])


def test_a_leading_zero_makes_no_octal_number(tmp_path):
    (tmp_path / "mine.yml").write_text("{}")
    assert read_study(tmp_path / "mine.yml", ["data.seed=012"]).data.seed == 12
    for rate in ("5e-4", "5.0e-4", ".0005"):
        assert read_study(tmp_path / "mine.yml", [f"train.learning_rate={rate}"]).train.learning_rate == 0.0005
