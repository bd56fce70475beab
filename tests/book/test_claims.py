"""What the pages say in words is so in the published numbers; those measured again may make a sentence wrong."""

import json
from functools import cache

import pandas as pd
import pytest
from support import ROOT


@cache
def published(name):
    return json.loads((ROOT / "book" / "published" / f"{name}.json").read_text())


@cache
def by_case(name):
    return pd.read_csv(ROOT / "book" / "published" / f"{name}.csv")


def sample():
    return by_case("confirmation").dropna()


def gain(method, over):
    """By class, by how much one method exceeds another on the same radiographs: the mean and its standard error."""
    classes = (sample()[method] - sample()[over]).groupby(sample()["label"])
    return pd.DataFrame({"mean": classes.mean(), "error": classes.sem()})


def point(patients):
    return published("patients")["points"][patients]


def left_out():
    return published("randomisation")["left_out"]


def changed(row):
    return published("ablation")["rows"][row]["difference"]["dice"]


def ends(recipe):
    bins = published(recipe)["calibration"]["near_outline"]["bins"]
    return bins[0], bins[-1]


CLAIMS = {  # by page and sentence, in the order of the book
    "results: drawings alone beat the paper's recipe": lambda: (
        published("confirmation")["default_minus_paper"]["ci95"][0] > 0
    ),
    "results: a larger network is not what is missing": lambda: (
        published("confirmation")["best_minus_paper"]["ci95"][0] > 0
    ),
    "results: it gains most on COVID": lambda: gain("default", "paper")["mean"].idxmax() == "COVID",
    "results: on normal chests the two are about equal": lambda: (
        abs(gain("default", "paper").loc["Normal", "mean"]) < 2 * gain("default", "paper").loc["Normal", "error"]
    ),
    "results: the gain is largest where the other method fails": lambda: all(
        (sample()["best"] - sample()[other])[sample()[other] < 0.9].median()
        > 2 * (sample()["best"] - sample()[other]).median()
        for other in ("paper", "default")
    ),
    "conclusion: drawings alone are not as good as best": lambda: (
        published("confirmation")["best_minus_default"]["ci95"][0] > 0
    ),
    "results: the paper's recipe errs both ways": lambda: (
        max(published("quex")["structures"]["lungs"][name]["mean"] for name in ("sensitivity", "precision")) < 0.95
    ),
    "conclusion: best has an eighteenth of the parameters": lambda: (
        round(published("confirmation")["paper"]["n_parameters"] / published("confirmation")["best"]["n_parameters"])
        == 18
    ),
    "phantoms: the ratio errs most for large hearts": lambda: (
        published("jsrt")["others"]["ctr_large"]["error"]["ci95"][0]
        > published("jsrt")["others"]["ctr_rest"]["error"]["ci95"][1]
    ),
    "phantoms: which the model makes too narrow": lambda: (
        published("jsrt")["others"]["ctr_large"]["bias"]["ci95"][1] < 0
    ),
    "phantoms: they lack the largest lung fields": lambda: (
        published("phantom-shapes")["measures"]["area"]["made"][-1]
        < published("phantom-shapes")["measures"]["area"]["real"][-1]
    ),
    "phantoms: their right lung is too large beside the left": lambda: (
        published("phantom-shapes")["measures"]["right to left"]["made"][3]
        > published("phantom-shapes")["measures"]["right to left"]["real"][3]
    ),
    "best: it gains in every class": lambda: all(
        scores["mean"] > published("confirmation")["paper"]["classes"][name]["mean"]
        for name, scores in published("confirmation")["best"]["classes"].items()
    ),
    "best: the worst films cost the mean little": lambda: (
        by_case("confirmation")["development"][by_case("confirmation")["development"] >= 0.8].mean()
        < (published("confirmation")["development"]["mean"] + published("confirmation")["development"]["median"]) / 2
    ),
    "ablation: even the smallest network lies above the paper's recipe": lambda: (
        published("sizes")["rows"]["4"]["ci95"][0] > published("quex")["dice"]["ci95"][1]
    ),
    "ablation: the curve is flat from a few hundred thousand parameters on": lambda: (
        abs(published("sizes")["rows"]["22"]["mean"] - published("sizes")["rows"]["15"]["mean"])
        < published("ablation")["chance"]["least_difference"]
    ),
    "ablation: of the single changes, the start loses more than chance explains": lambda: (
        changed("from random weights")["ci95"][1] < -published("ablation")["chance"]["least_difference"]
    ),
    "ablation: without augmentation more than chance may, and the bar reaches into the band": lambda: (
        changed("no augmentation")["mean_difference"]
        < -published("ablation")["chance"]["least_difference"]
        < changed("no augmentation")["ci95"][1]
    ),
    "ablation: size, loss, schedule and mean of the weights show nothing": lambda: all(
        abs(changed(row)["mean_difference"]) < published("ablation")["chance"]["least_difference"]
        for row in (
            "images of 192 pixels",
            "images of 128 pixels",
            "cross-entropy alone",
            "constant learning rate",
            "the last weights, not their mean",
        )
    ),
    "ablation: normalisation is worth much to random weights": lambda: (
        published("ablation")["rows"]["random weights, no batch normalisation"]["also"]["ci95"][1]
        < -published("ablation")["chance"]["least_difference"]
    ),
    "ablation: the paper's recipe loses more than chance explains": lambda: (
        changed("the paper's recipe")["ci95"][1] < -published("ablation")["chance"]["least_difference"]
    ),
    "randomisation: how the air in the lungs looks matters most": lambda: (
        min(left_out().values(), key=lambda row: row["mean"]) is left_out()["air in the lungs"]
        and left_out()["air in the lungs"]["ci95_trainings"][1] < 0
    ),
    "randomisation: exposure and pose come next": lambda: (
        {"air in the lungs", "exposure and display", "pose and shape"}
        == set(sorted(left_out(), key=lambda group: left_out()[group]["mean"])[:3])
    ),
    "randomisation: the other groups show no change": lambda: all(
        row["ci95_trainings"][0] < 0 < row["ci95_trainings"][1]
        for group, row in left_out().items()
        if group not in ("air in the lungs", "exposure and display", "pose and shape")
    ),
    "patients: with few of them, the start from drawings matters most": lambda: (
        point("10")["phantoms_minus_scratch"]["ci95"][0] > point("all")["phantoms_minus_scratch"]["ci95"][1]
    ),
    "patients: ten bring no gain that can be shown": lambda: point("10")["phantoms_minus_default"]["ci95"][0] < 0,
    "patients: thirty and a hundred help": lambda: (
        min(point(patients)["phantoms_minus_default"]["ci95"][0] for patients in ("30", "100")) > 0
    ),
    "patients: all of them help": lambda: point("all")["phantoms_minus_default"]["ci95"][0] > 0,
    "patients: five times as many radiographs help in every class": lambda: (
        gain("development", "best").eval("mean - 2 * error").min() > 0
    ),
    "patients: all of the confirmation set hold harder films": lambda: (
        by_case("confirmation")["development"].mean() < sample()["development"].mean()
    ),
    "patients: lungs come out nearly as well as when they are learnt alone": lambda: (
        abs(published("infection")["dice"]["mean"] - published("best")["dice"]["mean"])
        < published("ablation")["chance"]["least_difference"]
    ),
    "patients: small infections are outlined worst": lambda: (
        by_case("infection")
        .query("structure == 'infection' and truth_pixels > 0")[["truth_pixels", "dice"]]
        .corr("spearman")
        .iloc[0, 1]
        > 0.5
    ),
    "patients: such a network does not detect infection": lambda: (
        published("infection")["structures"]["infection"]["absent"]["false_positives"]
        > published("infection")["structures"]["infection"]["absent"]["n"] / 2
    ),
    "evidence: near an outline, best is overconfident": lambda: all(
        (part["probability"] - part["frequency"]) * (part["probability"] - 0.5) >= 0
        for part in published("best")["calibration"]["near_outline"]["bins"]
        if abs(part["probability"] - 0.5) > 0.1
    ),
    "evidence: the paper's recipe is overconfident at both ends": lambda: (
        ends("quex")[0]["probability"] < ends("quex")[0]["frequency"]
        and ends("quex")[-1]["probability"] > ends("quex")[-1]["frequency"]
    ),
    "evidence: and says too much lung in between": lambda: all(
        part["probability"] > part["frequency"]
        for part in published("quex")["calibration"]["near_outline"]["bins"]
        if 0.2 < part["probability"] < 0.9
    ),
    "evidence: it finds most failures of the mixture": lambda: published("quality")["pool"]["worst_tenth_finds"] > 0.5,
    "evidence: within one good network it misses most": lambda: (
        published("quality")["networks"]["real_strong"]["worst_tenth_finds"] < 0.5
    ),
    "evidence: within one good network it errs more than a constant guess": lambda: (
        published("quality")["networks"]["real_strong"]["mae_ratio"] > 1
    ),
    "evidence: the search for copies misses about a third": lambda: (
        0.55 < published("leakage")["found"] / published("leakage")["planted"] < 0.75
    ),
    "evidence: a leak raises the score": lambda: published("leakage")["difference"]["ci95"][0] > 0,
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_numbers_bear_out(claim):
    assert CLAIMS[claim]()
