"""Comparisons of runs: paired where they share cases of one dataset, told apart where they do not."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from cxrseg.evaluate import compare, stats
from cxrseg.report import figures


def scored(dices, ids=None, dataset="one"):
    ids = ids or [f"case-{n}" for n in range(len(dices))]
    return pd.DataFrame({"case_id": ids, "label": "Normal", "dice": dices, "dataset": dataset})


RNG = np.random.default_rng(0)
A = 1 - RNG.beta(2, 30, 40)
B = np.clip(A - 0.01 + RNG.normal(0, 0.005, 40), 0, 1)


def row(**methods):
    return compare.compare(methods).iloc[-1]


def test_paired_on_the_shared_cases_whatever_their_order():
    order = RNG.permutation(40)
    a, b = scored(A), scored(B[order], [f"case-{n}" for n in order]).iloc[:30]
    result = row(a=a, b=b)
    common = order[:30]
    assert (result["comparison"], result["shared"], result["n"]) == ("paired", 30, 30)
    assert result["difference"] == pytest.approx((B - A)[common].mean())
    assert result["difference_low"] < result["difference"] < result["difference_high"] < 0
    assert result["p_wilcoxon"] == pytest.approx(wilcoxon((B - A)[np.sort(common)]).pvalue)
    assert result["p_permutation"] < 0.01


def test_other_data_or_other_cases_are_not_paired():
    a = scored(A)
    for b in (scored(B, dataset="two"), scored(B, [f"other-{n}" for n in range(40)])):
        result = row(a=a, b=b)
        assert (result["comparison"], result["shared"]) == ("unpaired", 0)
        assert result["difference"] == pytest.approx(B.mean() - A.mean())
        assert np.isnan(result["p_permutation"]) and np.isnan(result["p_wilcoxon"])
        paired = row(a=a, b=scored(B))
        # What pairing takes out, the difficulty of the cases, is back in.
        width, narrow = (r["difference_high"] - r["difference_low"] for r in (result, paired))
        assert width > 3 * narrow


def test_any_number_of_runs_each_against_the_first():
    table = compare.compare({"a": scored(A), "b": scored(B), "c": scored(B, dataset="two"), "d": scored(A)})
    assert table["comparison"].isna().tolist() == [True, False, False, False]
    assert table["comparison"].tolist()[1:] == ["paired", "unpaired", "paired"]
    assert table["difference"].tolist()[3] == 0 and table["p_wilcoxon"].tolist()[3] == 1


def test_unpaired_interval_is_welchs():
    a, b = RNG.normal(10, 2, 300), RNG.normal(9, 3, 400)
    result = stats.unpaired(a, b)
    error = np.sqrt(a.var(ddof=1) / 300 + b.var(ddof=1) / 400)
    assert result["mean_difference"] == pytest.approx(a.mean() - b.mean())
    assert result["ci95"] == pytest.approx([a.mean() - b.mean() + z * error for z in (-1.96, 1.96)], abs=0.03)
    assert stats.unpaired([1, 1], [0.5])["ci95"] == [0.5, 0.5]


def test_figure_shows_pairs_or_two_distributions():
    figure = figures.differences({"a": scored(A), "b": scored(B), "c": scored(B, dataset="two")})
    assert [axis.get_xlabel() for axis in figure.axes] == ["Dice, a", "different cases"]


def test_the_dataset_is_that_of_the_summary(tmp_path, monkeypatch):
    monkeypatch.setattr(compare.paths, "runs", lambda: tmp_path)
    (tmp_path / "x").mkdir()
    with pytest.raises(FileNotFoundError, match="no run 'x'"):
        compare.cases("x")
    (tmp_path / "x" / "study.yml").write_text("name: x\n")
    with pytest.raises(FileNotFoundError, match="has not been evaluated"):
        compare.cases("x")
    lungs = scored(A).assign(structure="lungs", truth_pixels=[0, *range(1, 40)])
    two = pd.concat([lungs, scored(B).assign(structure="infection", truth_pixels=9)])
    two.drop(columns="dataset").to_csv(tmp_path / "x" / "cases.csv", index=False)
    summary = {"dice": {"n": 39}, "provenance": {"dataset_fingerprint": "abc"}}
    (tmp_path / "x" / "summary.json").write_text(json.dumps(summary))
    table = compare.cases("x")
    assert set(table["structure"]) == {"lungs"} and set(table["dataset"]) == {"abc"}
    assert table["dice"].to_numpy() == pytest.approx(A[1:])  # the first case has none
    lungs[:30].drop(columns="dataset").to_csv(tmp_path / "x" / "cases.csv", index=False)
    with pytest.raises(ValueError, match=r"cases\.csv: 29 cases, but 39 were scored"):
        compare.cases("x")
