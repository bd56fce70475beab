"""Figures of the notebooks."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from cxrseg.evaluate.compare import shared

COLOURS = {"COVID": "#d55e00", "Non-COVID": "#0072b2", "Normal": "#009e73"}
"""Okabe and Ito's palette, which is safe for colour-blind readers."""
OTHERS = ["#cc79a7", "#e69f00", "#56b4e9", "#000000"]
AGREED, MISSED, EXTRA = "#009e73", "#e69f00", "#cc79a7"
WIDTH = 6.4
"""Inches. A phone shows a figure at about 9 cm, where type of 10 points in a wider one would be too small to read."""


def colours(labels) -> dict[str, str]:
    """Return a colour for each diagnostic class, consistent across figures."""
    others = [label for label in dict.fromkeys(labels) if label not in COLOURS]
    return COLOURS | {label: OTHERS[k % len(OTHERS)] for k, label in enumerate(others)}


def samples(images, masks, cases: pd.DataFrame, per_class: int = 4) -> Figure:
    """Plot a few cases of each diagnostic class with their reference outlines.

    Parameters
    ----------
    images : (n, size, size) uint8 array
    masks : (n, size, size, structures) uint8 array of 0 and 1
    cases : DataFrame
        ``label`` of each of the n cases.
    """
    cases = _named(cases)
    labels = sorted(cases["label"].unique())
    figure, axes = _subplots(len(labels), per_class, figsize=(WIDTH, 1.75 * len(labels)), squeeze=False)
    for row, label in zip(axes, labels, strict=True):
        numbers = np.flatnonzero(cases["label"] == label)[:per_class]
        for axis in row:
            axis.set_axis_off()
        for axis, n in zip(row, numbers, strict=False):
            _show(axis, images[n])
            for k, colour in zip(range(masks.shape[-1]), (colours(labels)[label], "#f0e442"), strict=False):
                if masks[n, ..., k].any():
                    axis.contour(masks[n, ..., k], [0.5], colors=[colour], linewidths=1.2)
        row[0].set_title(f"{label} ({(cases['label'] == label).sum()} cases)", loc="left", fontsize=10)
    return _closed(figure)


def class_counts(cases: pd.DataFrame) -> Figure:
    """Plot the number of cases per class and fold."""
    counts = _named(cases).groupby(["label", "fold"]).size().rename("cases").reset_index()
    figure, axis = _subplots(figsize=(5.6, 2.8))
    sns.barplot(counts, x="fold", y="cases", hue="label", palette=colours(counts["label"]), ax=axis)
    axis.set(xlabel="fold", ylabel="cases")
    axis.legend(title=None, ncols=3, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1))
    sns.despine(figure)
    return _closed(figure)


def area_by_class(cases: pd.DataFrame, structure: str) -> Figure:
    """Plot the share of the image that the structure covers, by class."""
    cases = _named(cases)
    figure, axis = _subplots(figsize=(5.6, 2.6))
    order = sorted(cases["label"].unique())
    sns.stripplot(
        cases.assign(share=100 * cases[f"{structure}_share"]), x="share", y="label", hue="label", order=order,
        palette=colours(order), size=3, alpha=0.6, legend=False, ax=axis,
    )  # fmt: skip
    axis.set(xlabel=f"{_text(structure)}, share of the image (%)", ylabel="")
    sns.despine(figure)
    return _closed(figure)


def learning_curves(histories: dict[int, pd.DataFrame]) -> Figure:
    """Plot loss and Dice against epoch for each fold; a dot marks the epoch whose weights are kept."""
    figure, axes = _subplots(1, 2, figsize=(WIDTH, 3))
    for history in histories.values():
        best = history["val_loss"].idxmin()
        for axis, column in zip(axes, ("loss", "dice"), strict=True):
            axis.plot(history["epoch"], history[column], color="#0072b2", lw=1.4)
            axis.plot(history["epoch"], history[f"val_{column}"], color="#d55e00", lw=1.4, ls="--")
            axis.plot(history["epoch"][best], history[f"val_{column}"][best], "o", color="#d55e00")
    axes[0].set(xlabel="epoch", ylabel="loss", yscale="log")
    axes[1].set(xlabel="epoch", ylabel="mean Dice per image")
    lines = [plt.Line2D([], [], color="#0072b2"), plt.Line2D([], [], color="#d55e00", ls="--", marker="o")]
    axes[1].legend(lines, ["training", "validation (dot: kept)"], frameon=False, loc="lower right")
    sns.despine(figure)
    return _closed(figure)


def dice_by_class(rows: pd.DataFrame, metric: str = "dice") -> Figure:
    """Plot the score of every case by class, with a line at the mean."""
    rows = _named(rows)
    figure, axis = _subplots(figsize=(5.6, 0.9 + 0.8 * rows["label"].nunique()))
    order = sorted(rows["label"].unique())
    sns.stripplot(
        rows, x=metric, y="label", hue="label", order=order, palette=colours(order), size=4, alpha=0.6,
        legend=False, ax=axis,
    )  # fmt: skip
    for place, label in enumerate(order):
        mean = rows.loc[rows["label"] == label, metric].mean()
        axis.plot([mean, mean], [place - 0.3, place + 0.3], color="black", lw=2)
    axis.set(xlabel="Dice per image", ylabel="")
    sns.despine(figure)
    return _closed(figure)


def references(summary: dict, second_observer: float) -> Figure:
    """Plot the mean Dice of the network together with its reference values.

    Parameters
    ----------
    summary : dict
        The content of ``summary.json``. The figure uses ``dice``, ``baselines`` and ``boundary_band``.
    second_observer : float
        Mean Dice between two observers on other radiographs.
    """
    means = {"this network": summary["dice"]}
    names = {"mean_shape": "the mean shape", "otsu": "Otsu's threshold"}
    means |= {names.get(name, name): scores["dice"] for name, scores in summary["baselines"].items()}
    figure, axis = _subplots(figsize=(5.6, 2.8))
    for place, scores in enumerate(means.values()):
        axis.plot(scores["ci95"], [place, place], color="#0072b2", lw=2)
        axis.plot(scores["mean"], place, "o", color="#0072b2", ms=6)
    names = list(means)
    for name, band in summary["boundary_band"].items():
        ends = [band["too_small"], band["too_large"]]
        axis.plot(ends, [len(names)] * 2, "|-", color="#e69f00", ms=12, mew=2, lw=2)
        names.append(f"outline off by {name.removesuffix('px')} px")
    axis.plot(second_observer, len(names), "D", color="#009e73", ms=6)
    names.append("a second person (JSRT)")
    axis.set(xlabel="Dice per image, mean", yticks=range(len(names)), yticklabels=names, xlim=(None, 1))
    axis.invert_yaxis()
    axis.grid(axis="x", alpha=0.3)
    sns.despine(figure)
    return _closed(figure)


def calibration(scores: dict) -> Figure:
    """Plot the reliability diagram of the probabilities, and the mean Dice against the threshold.

    Parameters
    ----------
    scores : dict
        The entry ``calibration`` of ``summary.json``.
    """
    figure, axes = _subplots(1, 2, figsize=(WIDTH, 3.4))
    axes[0].plot([0, 1], [0, 1], color="0.5", lw=1)
    # The curves lie close: one is wide, the other narrow and above it.
    for part, colour, name, width in (
        ("all", "#56b4e9", "all pixels", 4),
        ("near_outline", "#d55e00", "near an outline", 1.4),
    ):
        bins = pd.DataFrame(scores[part]["bins"], columns=["probability", "frequency", "share"])
        label = f"{name} (ECE {scores[part]['ece']:.3f})"
        axes[0].plot(bins["probability"], bins["frequency"], "o-", color=colour, ms=3 + width, lw=width, label=label)
    axes[0].set(xlabel="probability given by the network", ylabel="share of pixels that are lung", aspect="equal")
    curve = scores["thresholds"]
    axes[1].plot(curve["threshold"], curve["dice"], color="#0072b2", lw=1.4)
    axes[1].plot(curve["best"], curve["best_dice"], "o", color="#0072b2")
    axes[1].set(xlabel="threshold", ylabel="mean Dice per image")
    figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=10)
    sns.despine(figure)
    return _closed(figure)


def predicted_quality(cases: pd.DataFrame) -> Figure:
    """Plot the true against the predicted Dice of every case.

    Parameters
    ----------
    cases : DataFrame
        Columns ``label``, ``dice`` and ``predicted_dice``, as in ``quality.csv``.
    """
    cases = _named(cases)
    figure, axis = _subplots(figsize=(4, 3.6))
    palette = colours(cases["label"])
    for label, part in cases.groupby("label"):
        axis.plot(part["predicted_dice"], part["dice"], ".", color=palette[label], label=label)
    low = max(0, min(cases["predicted_dice"].min(), cases["dice"].min()) - 0.02)
    axis.plot([low, 1], [low, 1], color="0.5", lw=1)
    axis.set(xlabel="predicted Dice", ylabel="true Dice", aspect="equal")
    axis.legend(frameon=False, fontsize=9)
    sns.despine(figure)
    return _closed(figure)


def segmentations(images, truths, predictions, titles: list[str]) -> Figure:
    """Plot image, reference mask and predicted mask, as in Fig 3.3 of the paper, and the difference of the masks.

    Parameters
    ----------
    images : (n, size, size) uint8 array
    truths, predictions : sequences of n (size, size) bool arrays
    titles : list of n str
    """
    n = len(images)
    figure, axes = _subplots(n, 4, figsize=(WIDTH, 1.85 * n), squeeze=False)
    for row, image, truth, prediction, title in zip(axes, images, truths, predictions, titles, strict=True):
        for axis in row:
            axis.set_axis_off()
        _show(row[0], image)
        row[1].imshow(truth, cmap="gray", vmin=0, vmax=1)
        row[2].imshow(prediction, cmap="gray", vmin=0, vmax=1)
        _show(row[3], image)
        for part, colour in ((truth & prediction, AGREED), (truth & ~prediction, MISSED), (prediction & ~truth, EXTRA)):
            row[3].imshow(np.ma.masked_equal(part, 0), cmap=_plain(colour), vmin=0, vmax=1, alpha=0.55)
        row[0].set_title(_text(title), loc="left", fontsize=10)
    for axis, name in zip(axes[-1], ("image", "actual mask", "predicted", "difference"), strict=True):
        axis.text(0.5, -0.04, name, transform=axis.transAxes, ha="center", va="top", fontsize=10)
    parts = [Patch(color=AGREED, label="both"), Patch(color=MISSED, label="missed"), Patch(color=EXTRA, label="extra")]
    figure.legend(handles=parts, loc="outside lower right", ncols=3, frameon=False, fontsize=10)
    return _closed(figure)


def means(table: pd.DataFrame) -> Figure:
    """Plot the mean Dice of each method with its confidence interval, in the order of the table.

    Parameters
    ----------
    table : DataFrame
        Columns ``method``, ``mean``, ``low`` and ``high``, as `cxrseg.evaluate.compare.compare` returns them.
    """
    figure, axis = _subplots(figsize=(5.6, 0.9 + 0.35 * len(table)))
    axis.errorbar(
        table["mean"], range(len(table)), xerr=[table["mean"] - table["low"], table["high"] - table["mean"]],
        fmt="o", color="#0072b2", ms=6, lw=2,
    )  # fmt: skip
    axis.set(xlabel="Dice per image, mean", yticks=range(len(table)), yticklabels=table["method"])
    axis.invert_yaxis()
    axis.grid(axis="x", alpha=0.3)
    sns.despine(figure)
    return _closed(figure)


def differences(methods: dict[str, pd.DataFrame], metric: str = "dice") -> Figure:
    """Plot the cases of each method against those of the first one, or both distributions if none are shared.

    Parameters
    ----------
    methods : dict of str to DataFrame
        Scored cases by name, as `cxrseg.evaluate.compare.cases` returns them.
    """
    (first, reference), *others = ((name, _named(table)) for name, table in methods.items())
    columns = min(2, max(1, len(others)))  # more columns would be too small to read
    rows = max(1, -(-len(others) // columns))
    figure, axes = _subplots(rows, columns, figsize=(3.2 * columns, 3.2 * rows), squeeze=False)
    for axis in axes.flat[len(others) :]:
        axis.set_axis_off()
    for axis, (name, table) in zip(axes.flat, others, strict=False):
        if not len(shared(reference, table)):
            both = pd.concat([reference.assign(run=first), table.assign(run=name)])
            sns.stripplot(both, x="run", y=metric, color="0.4", size=3, alpha=0.5, ax=axis)
            axis.set(xlabel="different cases", ylabel=metric.capitalize())
            continue
        both = reference.merge(table, on="case_id", suffixes=("_a", "_b"))
        palette = colours(both["label_a"])
        for label, part in both.groupby("label_a"):
            axis.plot(part[f"{metric}_a"], part[f"{metric}_b"], ".", color=palette[label], label=label, ms=5)
        low = min(both[f"{metric}_a"].min(), both[f"{metric}_b"].min()) - 0.02
        axis.plot([low, 1], [low, 1], color="0.5", lw=1)
        axis.set(xlabel=f"{metric.capitalize()}, {first}", ylabel=f"{metric.capitalize()}, {name}", aspect="equal")
        axis.legend(frameon=False, fontsize=9)
    sns.despine(figure)
    return _closed(figure)


def _text(name: str) -> str:
    """Return a name to be shown as it is: a dollar sign begins a formula, an underscore hides it from legends."""
    return (" " if name.startswith("_") else "") + name.replace("$", r"\$")


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(label=rows["label"].map(_text))


def _subplots(*arguments, **options):
    return plt.subplots(*arguments, layout="constrained", dpi=150, **options)


def _closed(figure: Figure) -> Figure:
    """Close a figure, so that a notebook shows it only once, as the value of the cell."""
    plt.close(figure)
    return figure


def _show(axis, image) -> None:
    axis.imshow(image, cmap="gray", vmin=0, vmax=255)


def _plain(colour: str):
    from matplotlib.colors import ListedColormap

    return ListedColormap([colour])
