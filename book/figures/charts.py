"""Plot the charts of the book from the results in ``book/published/``: ``python charts.py FOLDER``."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cxrseg import paths
from cxrseg.report.figures import AGREED, MISSED

STAGES = {"prepare": ("#0072b2", "o"), "epoch": ("#d55e00", "s"), "evaluate": ("#009e73", "^")}
"""Colour and marker of each stage in the chart of growth."""

CONTENDERS = {
    "limit": "what the machine can multiply",
    "ceiling": "the same network, no images",
    "cxrseg": "cxrseg, end to end",
    "torch": "PyTorch, bfloat16",
    "plain": "plain Keras, float32",
}
"""Labels of the contenders of ``benchmarks/train_speed.py``, in the order of the chart."""


SHAPES = {
    "area": "area of both lungs",
    "right to left": "area, right over left",
    "height to width": "height over width",
    "apex": "depth of the apex",
    "diaphragm": "depth of the diaphragm",
}
"""What the measures of ``experiments/phantom_shapes.py`` are."""


def write(folder: Path, charts: dict[str, Callable[[], Figure]]) -> None:
    """Write ``<name>.png`` for each chart, its text large enough to be read on a phone."""
    folder.mkdir(parents=True, exist_ok=True)
    matplotlib.rcParams["font.size"] = 12
    for name, chart in charts.items():
        chart().savefig(folder / f"{name}.png", dpi=110)


def shapes() -> Figure:
    """Plot the distributions of shape measures of realistic phantoms and of real masks, from committed histograms."""
    content = published("phantom-shapes")
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    *axes, last = figure.subplots(2, 3).flat
    for axis, (name, measure) in zip(axes, content["measures"].items(), strict=True):
        histogram = measure["histogram"]
        for kind, colour, label in (("real", MISSED, "real masks"), ("made", AGREED, "phantoms")):
            share = np.array(histogram[kind]) / sum(histogram[kind])
            axis.stairs(share, histogram["edges"], color=colour, fill=True, alpha=0.45, label=label)
        axis.set_xlabel(SHAPES[name])
        axis.tick_params(labelsize=9)
    for axis in axes[::3]:
        axis.set_ylabel("share of masks")
    last.remove()
    shown = axes[0].get_legend_handles_labels()
    figure.legend(*shown, frameon=False, loc="center", bbox_to_anchor=(0.84, 0.28))
    return figure


def ablation() -> Figure:
    """Plot the change in Dice, with its 95% interval, for each change to `best`, and a band of chance differences."""
    content = published("ablation")
    rows, chance = content["rows"], content["chance"]["least_difference"]
    changes = {name: row["difference"]["dice"] for name, row in rows.items() if "difference" in row}
    points = {name: (change["mean_difference"], change["ci95"]) for name, change in changes.items()}
    figure = _changes(points, "change in mean Dice against best")
    figure.axes[0].axvspan(-chance, chance, color="black", alpha=0.1, lw=0)
    return figure


def randomisation() -> Figure:
    """Plot the change in zero-shot Dice without each randomisation: interval over trainings, and single trainings."""
    rows = published("randomisation")["left_out"]
    points = {name: (row["mean"], row["ci95_trainings"]) for name, row in rows.items()}
    figure = _changes(points, "change in mean Dice")
    for place, row in enumerate(rows.values()):
        figure.axes[0].plot(row["trainings"], [place] * len(row["trainings"]), "|", color="#d55e00", ms=12, mew=1.5)
    return figure


def _changes(points: dict[str, tuple[float, list[float]]], label: str) -> Figure:
    """Plot changes and their intervals by name, one below the other."""
    figure = Figure(figsize=(6.4, 1 + 0.32 * len(points)), layout="constrained")
    axis = figure.subplots()
    axis.axvline(0, color="black", lw=0.8)
    for place, (mean, interval) in enumerate(points.values()):
        axis.plot(interval, [place, place], color="#0072b2", lw=2)
        axis.plot(mean, place, "o", color="#0072b2", ms=6)
    axis.set(yticks=range(len(points)), yticklabels=list(points))
    axis.set_xlabel(label)
    axis.locator_params(axis="x", nbins=5)
    axis.invert_yaxis()
    axis.grid(axis="x", alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def sizes() -> Figure:
    """Plot the Dice of `best` against its number of parameters, together with the paper's recipe."""
    rows = published("sizes")["rows"].values()
    paper = published("ablation")["rows"]["the paper's recipe"]
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axis = figure.subplots()
    for points, colour, marker, label in (
        (list(rows), "#0072b2", "o", "the recipe of best"),
        ([paper], "#d55e00", "s", "the paper's recipe"),
    ):
        x, mean = [row["n_parameters"] for row in points], np.array([row["mean"] for row in points])
        interval = np.abs(np.array([row["ci95"] for row in points]).T - mean)
        axis.errorbar(x, mean, interval, color=colour, marker=marker, capsize=3, label=label)
    ticks = [30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000]
    axis.set_xscale("log")
    axis.set_xticks(ticks, [f"{tick // 1000:,}" for tick in ticks])
    axis.set_xticks([], minor=True)
    axis.set_xlabel("parameters of the network, thousands")
    axis.set_ylabel("mean Dice per image,\nwith its 95% interval")
    axis.grid(alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    return figure


def patients() -> Figure:
    """Plot the Dice against the number of training cases, for a warm start from phantoms and for random weights."""
    content = published("patients")
    places = {name: place for place, name in enumerate(content["points"])}
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axis = figure.subplots()
    for start, colour, marker, label in (
        ("phantoms", "#0072b2", "o", "from the default model's weights"),
        ("scratch", "#d55e00", "s", "from random weights"),
    ):
        rows = {name: point[start] for name, point in content["points"].items() if start in point}
        x, mean = [places[name] for name in rows], np.array([row["mean"] for row in rows.values()])
        axis.errorbar(
            x, mean, np.abs(np.array([row["ci95"] for row in rows.values()]).T - mean),
            color=colour, marker=marker, capsize=3, label=label,
        )  # fmt: skip
    paper = content["paper"]
    axis.axhline(paper["mean"], color="black", ls="--", lw=1, label="the paper's recipe, all")
    axis.set(xticks=range(len(places)), xticklabels=list(places))
    axis.set_xlabel("patients' radiographs trained on, in each fold")
    axis.set_ylabel("mean Dice per image,\nwith its 95% interval")
    axis.grid(axis="y", alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, loc="lower right")
    return figure


def speed() -> Figure:
    """Plot the training speed, in images per second, of each implementation of the paper's network."""
    rates = published("train_speed")["images_per_second"]
    names = [name for name in CONTENDERS if name in rates]
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    axis = figure.subplots()
    for place, name in enumerate(names):
        rate, colour = rates[name], "#d55e00" if name == "cxrseg" else "#0072b2"
        axis.barh(place, rate["median"], color=colour, height=0.6)
        axis.plot([rate["low"], rate["high"]], [place, place], color="black", lw=1.5)
        axis.text(rate["high"] + 0.05, place, f" {rate['median']:.1f}", va="center")
    axis.set(yticks=range(len(names)), yticklabels=[CONTENDERS[name] for name in names])
    axis.set_xlabel("images a second")
    axis.invert_yaxis()
    axis.margins(x=0.1)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def growth() -> Figure:
    """Plot the time and the peak memory of each stage against the number of cases."""
    rows = published("growth")["cases"]
    cases = [int(n.replace(",", "")) for n in rows]
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    time, memory = figure.subplots(1, 2)
    for stage, (colour, marker) in STAGES.items():
        look = {"color": colour, "marker": marker, "label": stage}
        time.plot(cases, [row[stage]["seconds"] for row in rows.values()], **look)
        memory.plot(cases, [row[stage]["resident_gib"] for row in rows.values()], **look)
    time.set(xlabel="cases, thousands", ylabel="seconds", xlim=(0, None), ylim=(0, None))
    memory.set(xlabel="cases, thousands", ylabel="peak memory, GiB", xlim=(0, None), ylim=(0, None))
    for axis in (time, memory):
        axis.set_xticks(cases, [f"{n // 1000}" for n in cases])
        axis.spines[["top", "right"]].set_visible(False)
    time.legend(frameon=False)
    return figure


def ctr() -> Figure:
    """Plot the difference between two cardiothoracic ratios against their mean, for each radiograph of JSRT."""
    rows = pd.read_csv(paths.published() / "jsrt.csv")
    summary = published("jsrt")["others"]["ctr"]
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axis = figure.subplots()
    looks = {"others": ("#0072b2", "o", "held out"), "decision": ("0.6", "x", "steered decisions")}
    for group, (colour, marker, label) in looks.items():
        part = rows[rows["group"] == group]
        middle, difference = (
            part[["truth_ctr", "predicted_ctr"]].mean(axis=1),
            part["predicted_ctr"] - part["truth_ctr"],
        )
        axis.scatter(middle, difference, s=16, c=colour, marker=marker, label=label, alpha=0.75, lw=1)
    axis.axhline(summary["bias"]["mean"], color="black", lw=1)
    for limit in summary["limits"]:
        axis.axhline(limit, color="black", lw=1, ls="--")
    axis.set(xlabel="mean of the two ratios", ylabel="model minus reference")
    axis.legend(frameon=False, fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def published(name: str) -> dict:
    """Return the content of ``book/published/<name>.json``."""
    return json.loads((paths.published() / f"{name}.json").read_text())


CHARTS = {
    "ctr": ctr,
    "shapes": shapes,
    "randomisation": randomisation,
    "ablation": ablation,
    "sizes": sizes,
    "patients": patients,
    "speed": speed,
    "growth": growth,
}
"""Plotting functions by the name of their file."""


if __name__ == "__main__":
    write(Path(sys.argv[1]), CHARTS)
