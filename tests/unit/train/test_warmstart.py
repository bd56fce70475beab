"""Weights of another run, of which none may have seen a test case."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from samples import SMALL, weights

from cxrseg import models, paths
from cxrseg.config import DataConfig
from cxrseg.data.dataset import Dataset
from cxrseg.data.prepare import prepare
from cxrseg.train import warmstart
from cxrseg.train.compile import compile_network
from cxrseg.train.fold import train


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train") / "data"
    prepare(DataConfig(image_size=32, cases_per_class={"Normal": 12, "COVID": 12}), folder)
    return folder


def test_start_from_another_run(data, tmp_path, monkeypatch):
    monkeypatch.setattr(models, "weights_file", lambda run: tmp_path / run / "model.keras")
    train(SMALL, data, tmp_path / "first")
    go_on = SMALL.model_copy(update={"init": "first", "epochs": 1, "learning_rate": 1e-9})
    record = train(go_on, data, tmp_path / "second")
    np.testing.assert_allclose(weights(tmp_path / "second"), weights(tmp_path / "first"), atol=1e-6)
    assert len(record["init_sha256"]) == 64
    with pytest.raises(FileNotFoundError, match="'nobody'"):
        train(go_on.model_copy(update={"init": "nobody"}), data, tmp_path / "third")
    with pytest.raises(ValueError, match="parameters, this one"):
        train(go_on.model_copy(update={"base_filters": 8}), data, tmp_path / "third")


def test_start_from_a_run_on_the_same_cases_takes_no_weights_that_have_seen_the_test_part(data, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "runs", lambda: tmp_path)
    shutil.copytree(data, tmp_path / "first" / "data")
    for fold in (0, 2):
        train(SMALL, data, tmp_path / "first" / f"fold-{fold}", fold)
    go_on = SMALL.model_copy(update={"init": "first", "epochs": 1, "learning_rate": 1e-9})
    train(go_on, data, tmp_path / "second" / "fold-2", 2)
    np.testing.assert_allclose(
        weights(tmp_path / "second" / "fold-2"), weights(tmp_path / "first" / "fold-2"), atol=1e-6
    )
    with pytest.raises(FileNotFoundError, match="fold-1"):
        train(go_on, data, tmp_path / "second" / "fold-1", 1)


@pytest.mark.parametrize(
    "changes",
    [{"image_size": 64}, {"structures": ["lungs", "infection"]}, {"cases_per_class": {"Normal": 13, "COVID": 12}}],
    ids=["another size", "more structures", "another draw"],
)
def test_no_start_from_weights_that_have_seen_the_test_part_in_another_dataset(changes, data, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "runs", lambda: tmp_path)
    config = DataConfig(image_size=32, cases_per_class={"Normal": 12, "COVID": 12}).model_copy(update=changes)
    prepare(config, tmp_path / "first" / "data")
    theirs = Dataset.load(tmp_path / "first" / "data").cases
    dataset = Dataset.load(data)
    ours = dataset.cases
    for fold in range(5):
        tested = ours[ours["fold"] == fold]
        try:
            blind = warmstart._blind_fold("first", fold, dataset, tested)
        except ValueError as error:
            assert "train.init" in str(error) and "cases_per_class" in changes
        else:
            assert not set(tested["case_id"]) & set(theirs["case_id"][theirs["fold"] != blind])


def test_phantoms_of_another_seed_are_others(data, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "runs", lambda: tmp_path)
    prepare(DataConfig(image_size=32, seed=5, cases_per_class={"Normal": 12, "COVID": 12}), tmp_path / "first" / "data")
    dataset = Dataset.load(data)
    cases = dataset.cases
    assert warmstart._blind_fold("first", 3, dataset, cases[cases["fold"] == 3]) == 0


def test_the_same_radiographs_are_known_by_their_pixels_and_without_them_by_their_digest(data, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "runs", lambda: tmp_path)
    dataset = Dataset.load(data)
    cases = dataset.cases
    elsewhere = {"source": "folder", "path": "/elsewhere"}  # the folder was moved since
    shutil.copytree(data, tmp_path / "first" / "data")
    content = dataset.record | {"parameters": dataset.record["parameters"] | elsewhere}
    (tmp_path / "first" / "data" / "dataset.json").write_text(json.dumps(content))
    assert warmstart._blind_fold("first", 3, dataset, cases[cases["fold"] == 3]) == 3
    shutil.rmtree(tmp_path / "first" / "data")
    (tmp_path / "first" / "fold-0").mkdir()
    for fingerprint, fold in ((dataset.fingerprint, 3), ("another", 0)):
        (tmp_path / "first" / "fold-0" / "train.json").write_text(json.dumps({"fingerprint": fingerprint}))
        assert warmstart._blind_fold("first", 3, dataset, cases[cases["fold"] == 3]) == fold


def test_radiographs_are_known_in_a_folder_that_was_copied_and_at_another_size(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "runs", lambda: tmp_path)
    rng = np.random.default_rng(3)
    for k in range(12):
        for kind, pixels in (("images", rng.integers(0, 255, (64, 64), np.uint8)), ("masks", np.eye(64) > 0)):
            (tmp_path / "here" / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / "here" / kind / f"{k}.png")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    here, there = (DataConfig(source="folder", path=str(tmp_path / name), folds=3) for name in ("here", "there"))
    theirs = prepare(here.model_copy(update={"image_size": 64}), tmp_path / "first" / "data").cases
    dataset = prepare(there.model_copy(update={"image_size": 128}), tmp_path / "second" / "data")
    for fold in range(3):
        tested = dataset.cases[dataset.cases["fold"] == fold]
        blind = warmstart._blind_fold("first", fold, dataset, tested)
        assert not set(tested["case_id"]) & set(theirs["case_id"][theirs["fold"] != blind])


def test_channels_are_carried_over_by_what_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "runs", lambda: tmp_path)
    few = DataConfig(image_size=32, cases_per_class={"Normal": 6, "COVID": 6}, structures=["lungs", "heart"])
    prepare(few, tmp_path / "first" / "data")
    train(SMALL, tmp_path / "first" / "data", tmp_path / "first" / "fold-0")
    start = SMALL.model_copy(update={"init": "first", "epochs": 1, "learning_rate": 1e-9})
    before = weights(tmp_path / "first" / "fold-0")[-2]
    for structures, kept in ((["lungs", "heart"], True), (["heart", "lungs"], False), (["lungs", "infection"], False)):
        there = tmp_path / "_".join(structures)
        prepare(few.model_copy(update={"structures": structures, "seed": 77}), there / "data")
        train(start, there / "data", there / "fold-0")
        assert np.allclose(weights(there / "fold-0")[-2], before, atol=1e-6) == kept


def test_start_for_another_number_of_structures(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "weights_file", lambda run: tmp_path / "lungs.keras")
    lungs, both = (compile_network(SMALL, structures, "float32", 1) for structures in (1, 2))
    lungs.save(tmp_path / "lungs.keras")
    both.set_weights([w + 1 for w in both.get_weights()])
    before = both.get_weights()
    warmstart.start_from(both, "default", 0, None, pd.DataFrame())
    *body, kernel, bias = both.get_weights()
    for ours, theirs in zip(body, lungs.get_weights(), strict=False):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(kernel, before[-2])
    np.testing.assert_array_equal(bias, before[-1])
