import hashlib
import json
from functools import partial

import numpy as np
import pytest

from cxrseg.config import DataConfig
from cxrseg.data import prepare as module
from cxrseg.data.cases import Case
from cxrseg.data.dataset import Dataset
from cxrseg.data.prepare import prepare

SIZE = 48


def picture(seed, shape=(SIZE, SIZE)):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def lungs(seed, shape=(SIZE, SIZE)):
    mask = np.zeros(shape, bool)
    mask[5 : 20 + seed % 20, 5:20] = True
    return mask


def empty():
    return np.zeros((SIZE, SIZE), bool)


def unreadable(name):
    raise ValueError(f"{name}: not an image")


def made(n, label="Normal", start=0, group=None):
    return [
        Case(f"{label}-{k}", label, partial(picture, k), {"lungs": partial(lungs, k)}, group)
        for k in range(start, start + n)
    ]


@pytest.fixture
def with_cases(monkeypatch):
    """Let `prepare` find the cases given."""
    return lambda cases: monkeypatch.setattr(module, "find_cases", lambda config: cases)


def config(**changes):
    return DataConfig(**{"source": "folder", "image_size": SIZE} | changes)


def test_dataset_holds_what_the_source_gave(tmp_path, with_cases):
    cases = made(12) + made(10, "COVID", 100)
    with_cases(cases)
    made_now = prepare(config(), tmp_path / "data")
    dataset = Dataset.load(tmp_path / "data")
    images, masks, table, stored = dataset.images, dataset.masks, dataset.cases, dataset.record
    assert images.shape == (22, SIZE, SIZE)
    assert masks.shape == (22, SIZE, SIZE, 1)
    assert isinstance(images, np.memmap)
    for k, case in enumerate(cases):
        np.testing.assert_array_equal(images[k], case.image())
        np.testing.assert_array_equal(masks[k, ..., 0], case.masks["lungs"]())
        assert table["case_id"][k] == case.case_id
        assert table["sha256"][k] == hashlib.sha256(case.image().tobytes()).hexdigest()
    assert made_now.record == stored
    assert stored["classes"] == {"COVID": 10, "Normal": 12}
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_bad_cases_are_refused_by_name_and_the_rest_go_on(tmp_path, with_cases):
    good = made(20)
    bad = [
        Case("torn", "Normal", partial(unreadable, "torn.png"), {"lungs": partial(lungs, 0)}),
        Case("no-mask", "Normal", partial(picture, 1), {"lungs": partial(unreadable, "mask.png")}),
        Case("other-size", "Normal", partial(picture, 1), {"lungs": partial(lungs, 0, (40, SIZE))}),
        Case("black-mask", "Normal", partial(picture, 1), {"lungs": empty}),
        Case("full-mask", "Normal", partial(picture, 1), {"lungs": partial(np.ones, (SIZE, SIZE), bool)}),
        Case("constant", "Normal", partial(np.full, (SIZE, SIZE), 7, np.uint8), {"lungs": partial(lungs, 0)}),
    ]
    with_cases(good[:10] + bad + good[10:])
    dataset = prepare(config(max_refused=0.5), tmp_path / "data")
    reasons = {case["case_id"]: case["reason"] for case in dataset.record["refused"]}
    assert list(reasons) == [case.case_id for case in bad]
    for case_id, part in {
        "torn": "torn.png", "no-mask": "mask.png", "other-size": "48 x 40", "black-mask": "empty",
        "full-mask": "whole image", "constant": "constant",
    }.items():  # fmt: skip
        assert part in reasons[case_id]
    assert len(dataset.images) == len(dataset.cases) == 20
    np.testing.assert_array_equal(dataset.images[15], good[15].image())


def test_too_many_refused_is_an_error_and_leaves_nothing(tmp_path, with_cases):
    with_cases([*made(10), Case("torn", "Normal", partial(unreadable, "torn.png"), {"lungs": empty})])
    with pytest.raises(ValueError, match=r"1 of 11 cases cannot be used.*torn\.png"):
        prepare(config(), tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_interruption_leaves_the_former_dataset(tmp_path, with_cases, monkeypatch):
    with_cases(made(10))
    before = prepare(config(), tmp_path / "data").record
    monkeypatch.setattr(module, "near_duplicates", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        prepare(config(seed=1), tmp_path / "data")
    assert Dataset.load(tmp_path / "data").record == before
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_what_a_killed_process_left_is_cleared_away(tmp_path, with_cases):
    with_cases(made(6))
    for left in (".data.partial", ".data.old"):
        (tmp_path / left).mkdir()
        (tmp_path / left / "images.npy").touch()
    prepare(config(), tmp_path / "data")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_structure_that_no_case_has_is_refused(tmp_path, with_cases):
    cases = [
        Case(str(k), "Normal", partial(picture, k), {"lungs": partial(lungs, k), "infection": empty}) for k in range(6)
    ]
    with_cases(cases)
    with pytest.raises(ValueError, match="no case has any infection"):
        prepare(config(structures=["lungs", "infection"]), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_infection_may_be_empty_but_lungs_may_not(tmp_path, with_cases):
    cases = [
        Case(str(k), "Normal", partial(picture, k), {"lungs": partial(lungs, k), "infection": empty}) for k in range(6)
    ]
    cases[0].masks["infection"] = partial(lungs, 0)
    with_cases(cases)
    dataset = prepare(config(structures=["lungs", "infection"]), tmp_path / "data")
    assert dataset.record["refused"] == []
    assert dataset.masks.shape == (6, SIZE, SIZE, 2)


def test_twins_and_patients_stay_in_one_fold(tmp_path, with_cases):
    cases = made(30)
    cases[3] = Case("twin", "Normal", partial(picture, 17), {"lungs": partial(lungs, 3)})
    cases[5:8] = [Case(f"p{k}", "Normal", c.image, c.masks, "patient") for k, c in enumerate(cases[5:8])]
    with_cases(cases)
    dataset = prepare(config(), tmp_path / "data")
    table = dataset.cases
    assert table["fold"][3] == table["fold"][17]
    assert table["fold"][5:8].nunique() == 1
    assert [{pair["a"], pair["b"]} for pair in dataset.record["duplicates"]] == [{"twin", "Normal-17"}]


@pytest.mark.parametrize("workers", [1, 2])
def test_same_dataset_whoever_prepares_it(tmp_path, workers):
    phantoms = config(source="phantom", cases_per_class={"Normal": 4, "COVID": 4}, folds=2)
    prepare(phantoms, tmp_path / "data", workers=workers)
    summary = json.loads((tmp_path / "data" / "dataset.json").read_text())
    again = prepare(phantoms, tmp_path / "again")
    assert summary["fingerprint"] == again.fingerprint


def test_phantoms_are_not_described_for_the_search_that_they_do_not_need(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "describe", None)  # calling it would be an error
    few = DataConfig(cases_per_class={"Normal": 3, "COVID": 3}, image_size=SIZE, folds=2)
    assert prepare(few, tmp_path / "data", workers=1).record["duplicates"] == []


def test_a_mask_of_another_size_is_fitted_to_its_image(tmp_path, with_cases):
    """As in the COVID-19 Radiography Database: images of 299 pixels, masks of 256."""
    rows, columns = np.mgrid[:256, :256]
    small = ((rows - 120) / 80) ** 2 + ((columns - 90) / 40) ** 2 < 1
    rows, columns = (np.mgrid[:299, :299] + 0.5) * 256 / 299 - 0.5
    large = ((rows - 120) / 80) ** 2 + ((columns - 90) / 40) ** 2 < 1
    case = Case("a", "Normal", partial(picture, 1, (299, 299)), {"lungs": lambda: small})
    _, (mask,), notes = module.read(case, ["lungs"])
    assert any("another size" in note for note in notes) and mask.shape == (299, 299)
    assert np.mean(mask != large) < 0.002  # a third of a pixel along the outline

    with_cases([case, *made(12)])
    notes = prepare(config(), tmp_path / "data").record["notes"]
    assert [count for note, count in notes.items() if "another size" in note] == [1]


def test_an_inverted_mask_is_refused():
    case = Case("a", "Normal", partial(picture, 1), {"lungs": lambda: ~lungs(1)})
    with pytest.raises(ValueError, match="is the mask inverted"):
        module.read(case, ["lungs"])
