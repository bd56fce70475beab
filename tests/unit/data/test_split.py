"""Folds, validation, and copies that a split divides."""

import numpy as np
import pandas as pd
import pytest

from cxrseg.config import DataConfig
from cxrseg.data.dataset import Dataset
from cxrseg.data.prepare import prepare
from cxrseg.data.split import assign_folds, leakage, split


def table(folds):
    return pd.DataFrame(
        {
            "case_id": list("abcdef"),
            "group": ["", "", "p", "p", "", ""],
            "sha256": ["1", "1", "2", "3", "4", "5"],
            "cluster": [0, 0, 1, 1, 2, 2],
            "fold": folds,
        }
    )


NEAR = [{"a": "a", "b": "b", "correlation": 1.0}, {"a": "e", "b": "f", "correlation": 0.8}]


def test_pairs_are_counted_once_by_the_strongest_tie():
    assert leakage(table([0, 0, 1, 1, 0, 0]), NEAR) == {
        "exact": 1, "near": 1, "same_patient": 1, "cases_in_clusters": 6, "across_folds": 0,
    }  # fmt: skip


def test_a_broken_split_shows():
    assert leakage(table([0, 1, 1, 1, 0, 2]), NEAR)["across_folds"] == 2
    assert leakage(table([0, 0, 1, 2, 0, 0]), NEAR)["across_folds"] == 1


def test_a_triple_counts_as_ties_to_its_first():
    cases = table([0, 0, 0, 0, 0, 0]).assign(sha256=["1", "1", "1", "2", "3", "4"], group="")
    assert leakage(cases, [])["exact"] == 2


def test_folds_are_stratified_and_whole():
    rng = np.random.default_rng(0)
    labels = rng.permutation(["COVID"] * 207 + ["Non-COVID"] * 53 + ["Normal"] * 32)
    clusters = np.arange(292)
    folds = assign_folds(labels, clusters, 5, seed=1)
    counts = pd.crosstab(labels, folds)
    assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1
    assert (assign_folds(labels, clusters, 5, seed=1) == folds).all()
    assert (assign_folds(labels, clusters, 5, seed=2) != folds).any()
    grouped = assign_folds(labels, clusters // 3, 5, seed=1)
    assert pd.Series(grouped).groupby(clusters // 3).nunique().max() == 1


def test_too_few_cases_for_the_folds():
    with pytest.raises(ValueError, match=r"3 independent cases cannot fill 5 folds"):
        assign_folds(["COVID"] * 3, [0, 1, 2], 5, 0)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train") / "data"
    prepare(DataConfig(image_size=32, cases_per_class={"Normal": 12, "COVID": 12}), folder)
    return folder


def test_split_keeps_test_cases_out_and_is_stratified(data):
    cases = Dataset.load(data).cases
    for fold in range(5):
        training, validation, testing = split(cases, fold, 0.2, seed=3)
        assert sorted([*training, *validation, *testing]) == list(range(24))
        assert (cases["fold"].to_numpy()[testing] == fold).all()
        assert set(cases["label"].iloc[validation]) == {"Normal", "COVID"}
    with pytest.raises(ValueError, match="folds 0 to 4"):
        split(cases, 5, 0.2, seed=3)


def test_learning_from_fewer_cases(data):
    cases = Dataset.load(data).cases
    everyone = np.concatenate(split(cases, 1, 0.2, seed=3)[:2])
    drawn = {n: np.concatenate(split(cases, 1, 0.2, seed=3, n=n)[:2]) for n in (6, 12)}
    assert [len(drawn[n]) for n in (6, 12)] == [6, 12]
    assert set(drawn[6]) < set(drawn[12]) < set(everyone)
    training, validation, testing = split(cases, 1, 0.2, seed=3, n=6)
    assert len(training) and len(validation)
    np.testing.assert_array_equal(testing, split(cases, 1, 0.2, seed=3)[2])
    with pytest.raises(ValueError, match=r"train\.cases 25 is more than the"):
        split(cases, 1, 0.2, seed=3, n=25)
