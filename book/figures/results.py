"""Plot the charts that compare the methods on real radiographs: ``python results.py FOLDER``."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from charts import published, write
from matplotlib.figure import Figure

from cxrseg import paths
from cxrseg.evaluate import stats

METHODS = {
    "paper": ("the paper's recipe", "#d55e00"),
    "default": ("from drawings alone", "#0072b2"),
    "best": ("best", "#009e73"),
}
"""Label and colour of each method, by its name in the confirmation, in the order of every chart."""

PEOPLE = {"lungs": 2 * 0.946 / 1.946, "heart": 2 * 0.878 / 1.878}
"""Dice of two people who outlined JSRT, from their intersection over union (van Ginneken and others, 2006)."""


RESULTS = {
    "paper": ("paper", "the paper's recipe"),
    "default_on_the_sample": ("default", "from drawings alone"),
    "best": ("best", "best"),
    "default": ("default", "from drawings alone"),
    "development": ("best", "best, trained on\nthe development set"),
}
"""Method and label of each mean Dice of the confirmation: three on the sample, then two on all cases."""


def methods() -> Figure:
    """Plot the mean Dice of every method on the confirmation set, with what a pixel and a person make of it."""
    content = published("confirmation")
    figure = Figure(figsize=(6.4, 3.9), layout="constrained")
    axis = figure.subplots()
    pixels = published("quex")["boundary_band"]
    one, two = (np.mean([pixels[width]["too_small"], pixels[width]["too_large"]]) for width in ("1px", "2px"))
    axis.axvspan(two, one, color="black", alpha=0.1, lw=0)
    axis.axvline(PEOPLE["lungs"], color="black", lw=1, ls=":")
    for place, (name, (method, _)) in enumerate(RESULTS.items()):
        dice, colour = content[name], METHODS[method][1]
        of_all = dice["n"] == content["default"]["n"]
        axis.plot(dice["ci95"], [place, place], color=colour, lw=3)
        axis.plot(dice["mean"], place, "o", color=colour, mfc="white" if of_all else colour, mew=2, ms=8)
        axis.annotate(f"{dice['mean']:.3f}", (dice["mean"], place), (0, 9), textcoords="offset points", ha="center")
    labels = [f"{label}\n({content[name]['n']:,} radiographs)" for name, (_, label) in RESULTS.items()]
    axis.set(yticks=range(len(RESULTS)), yticklabels=labels, xlabel="mean Dice per image, with its 95% interval")
    axis.set_ylim(-0.5, len(RESULTS) - 0.2)
    axis.margins(x=0.1)
    axis.grid(axis="x", alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def cases() -> Figure:
    """Plot the Dice of each case under each method, by diagnostic class, with the mean and its interval."""
    table = tested()
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axis = figure.subplots()
    scatter = np.random.default_rng(1)
    for place, (name, (_, colour)) in enumerate(METHODS.items()):
        for (label, part), marker in zip(table.groupby("label"), "osv", strict=True):
            x = place + scatter.uniform(-0.3, 0.3, len(part))
            axis.scatter(x, part[name], s=12, marker=marker, alpha=0.5, lw=0, color=colour, label=label)
        axis.plot([place - 0.38, place + 0.38], [table[name].mean()] * 2, color="black", lw=1.5)
        axis.plot([place, place], stats.interval(table[name]), color="black", lw=4)
    axis.set(xticks=range(len(METHODS)), xticklabels=[label for label, _ in METHODS.values()])
    axis.set(xlabel="method", ylabel="Dice of a radiograph")
    axis.grid(axis="y", alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    shown = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    legend = axis.legend(shown.values(), shown, frameon=False, fontsize=10, markerscale=2, loc="lower right")
    for handle in legend.legend_handles:
        handle.set(alpha=1, color="0.3")
    return figure


def paired() -> Figure:
    """Plot by how much ``best`` exceeds each other method on the same case, sorted."""
    table = tested()
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axis = figure.subplots()
    axis.axhline(0, color="black", lw=1)
    for name in ("paper", "default"):
        gain = np.sort(table["best"] - table[name])
        label, colour = METHODS[name]
        axis.fill_between(np.arange(1, len(gain) + 1), gain, step="mid", color=colour, alpha=0.25, lw=0)
        axis.step(np.arange(1, len(gain) + 1), gain, where="mid", color=colour, lw=2, label=label)
    axis.set(xlabel="radiographs, sorted by the difference", ylabel="Dice that best gains")
    axis.set_xlim(1, len(table))
    axis.grid(axis="y", alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(title="best against", alignment="left", frameon=False, loc="upper left")
    return figure


def below() -> Figure:
    """Plot, for each method, the share of the cases that lie below a Dice."""
    table = tested()
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axis = figure.subplots()
    for name, (label, colour) in METHODS.items():
        dice = np.sort(table[name])
        axis.step(dice, np.arange(1, len(dice) + 1) / len(dice), where="post", color=colour, lw=2, label=label)
    axis.axvline(0.9, color="black", lw=1, ls="--")
    axis.set(xlim=(0.6, 1), ylim=(0, 0.5), xlabel="Dice", ylabel="share of radiographs below")
    axis.yaxis.set_major_formatter("{x:.0%}")
    axis.grid(alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, loc="upper left")
    return figure


def calibration() -> Figure:
    """Plot what the networks said near an outline against what was there, and the mean Dice at each threshold."""
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], color="black", lw=1, ls=":")
    for name, method in (("quex", "paper"), ("best", "best")):
        label, colour = METHODS[method]
        found = published(name)["calibration"]
        bins = found["near_outline"]["bins"]
        said, there = ([row[key] for row in bins] for key in ("probability", "frequency"))
        left.plot(said, there, "o-", color=colour, ms=4, label=label)
        right.plot(found["thresholds"]["threshold"], found["thresholds"]["dice"], color=colour, lw=2, label=label)
    left.set(xlabel="probability", ylabel="share of lung", aspect="equal")
    right.set(xlabel="threshold", ylabel="mean Dice")
    left.legend(frameon=False, fontsize=10)
    for axis in (left, right):
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    return figure


def tested() -> pd.DataFrame:
    """Return class and Dice under each method of the cases of the confirmation that every method was tested on."""
    return pd.read_csv(paths.published() / "confirmation.csv").dropna()


def sets() -> Figure:
    """Plot the mean Dice of the default model on the radiographs of each set that it was not designed by."""
    drawn, jsrt = published("confirmation")["default"], published("jsrt")["others"]
    structures = {
        f"JSRT, {name.replace('_', ' ')} ({jsrt['n']:,})": scores for name, scores in jsrt["structures"].items()
    }
    rows = {
        f"COVID-QU-Ex, lungs ({drawn['n']:,})": drawn,
        **{f"    {name} ({scores['n']:,})": scores for name, scores in drawn["classes"].items()},
        **structures,
    }
    figure = Figure(figsize=(6.4, 0.9 + 0.34 * len(rows)), layout="constrained")
    axis = figure.subplots()
    colour = METHODS["default"][1]
    for place, (name, scores) in enumerate(rows.items()):
        axis.plot(scores["ci95"], [place, place], color=colour, lw=3)
        axis.plot(scores["mean"], place, "o", color=colour, ms=6)
        people = next((dice for part, dice in PEOPLE.items() if f"JSRT, {part}" in name), None)
        if people:
            axis.plot(people, place, "x", color="black", ms=8, mew=2)
    axis.set(yticks=range(len(rows)), yticklabels=list(rows), xlabel="mean Dice per radiograph, with its 95% interval")
    axis.invert_yaxis()
    axis.grid(axis="x", alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


CHARTS = {
    "methods": methods,
    "cases": cases,
    "paired": paired,
    "below": below,
    "calibration": calibration,
    "sets": sets,
}
"""Plotting functions by the name of their file."""


if __name__ == "__main__":
    write(Path(sys.argv[1]), CHARTS)
