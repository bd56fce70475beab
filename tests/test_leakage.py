"""Copies across folds are counted, whatever made them."""

import pandas as pd

from cxrseg.leakage import report


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
    assert report(table([0, 0, 1, 1, 0, 0]), NEAR) == {
        "exact": 1, "near": 1, "same_patient": 1, "cases_in_clusters": 6, "across_folds": 0,
    }  # fmt: skip


def test_a_broken_split_shows():
    assert report(table([0, 1, 1, 1, 0, 2]), NEAR)["across_folds"] == 2
    assert report(table([0, 0, 1, 2, 0, 0]), NEAR)["across_folds"] == 1


def test_a_triple_counts_as_ties_to_its_first():
    cases = table([0, 0, 0, 0, 0, 0]).assign(sha256=["1", "1", "1", "2", "3", "4"], group="")
    assert report(cases, [])["exact"] == 2
