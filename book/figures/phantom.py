"""Plot the figures of the chapter on phantoms: ``python phantom.py FOLDER``.

They show the parts of a chest, the two phantom settings, failures, and one real radiograph.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cxrseg.evaluate import metrics
from cxrseg.phantom import LABELS, Phantom, phantom, phantom_parts
from cxrseg.phantom.parameters import varied
from cxrseg.phantom.parameters.distributions import Always
from cxrseg.report.figures import AGREED, EXTRA
from cxrseg.segment.model import Model, load_model
from cxrseg.segment.overlay import COLOURS, overlay

PICTURES = ("story", "parts", "classes", "randomised", "radiograph", "failures")
SEED, SIZE = 2023, 256
HEART = tuple(value / 255 for value in COLOURS["heart"])
OTHERS = 5  # numbered from 100, so that none was inspected in the search for failures

FAILURES: dict[str, tuple[int, str, dict]] = {
    "A white lung": (18, "Non-COVID", {
        "disease Non-COVID": {
            "kind": Always("fluid"), "effusion": Always(1.0), "effusion_v": Always(0.05), "meniscus": Always(0.0),
            "effusion_softness": Always(0.05), "both_sides": Always(False),
        },
        "ribs": {"posterior": Always(0.02), "anterior": Always(0.01)},
        "air": {"behind_heart": Always(0.0)},
    }),
    "A diaphragm that hardly shows": (18, "Normal", {
        "abdomen": {
            "liver": Always(-0.25), "spleen": Always(1.0), "dome_softness": Always(0.05), "stomach": Always(0),
            "deep_fade": Always(0.3), "fade_depth": Always(0.15),
        },
        "air": {"dome_softness": Always(0.06), "behind_dome": Always(1.0), "recess": Always(0.3)},
        "ribs": {"lost_below": Always(0.0)},
    }),
    "A child, turned, a large heart": (8, "Normal", {
        "pose": {"tilt": Always(16.0), "height": Always(0.85), "aspect": Always(0.75)},
        "lungs": {
            "heart_scale": Always(1.5), "rotation": Always(0.06), "bell": Always(0.15), "mediastinum": Always(1.3),
        },
        "air": {"contrast": Always(0.4), "behind_heart": Always(0.8), "behind_dome": Always(0.5)},
        "spine": {"spine": Always(0.2)},
    }),
    "A chest that lies askew": (12, "Normal", {"pose": {"tilt": Always(38.0), "height": Always(0.6)}}),
}  # fmt: skip
"""Phantoms on which the default model fails as it does on real radiographs: number, class, and changes to the
realistic setting."""


def write(folder: Path) -> None:
    """Write ``<name>.png`` for each of `PICTURES`."""
    folder.mkdir(parents=True, exist_ok=True)
    model = load_model()
    figures = (
        story(model), parts(), sheet("realistic", 3, 4), sheet("randomised", 4, 6), radiograph(model), failures(model),
    )  # fmt: skip
    for name, figure in zip(PICTURES, figures, strict=True):
        figure.savefig(folder / f"{name}.png", dpi=110)


def story(model: Model) -> Figure:
    """Plot the study in one picture: drawn chests, the network that learns from them, and a real radiograph."""
    from pydicom.data import get_testdata_file

    figure = Figure(figsize=(9.6, 3.7), layout="constrained")
    drawn, middle, real = figure.subfigures(1, 3, width_ratios=(3.6, 2.2, 3.6))
    for k, axis in enumerate(drawn.subplots(2, 2).ravel()):
        made = phantom(SEED, 102 + k, LABELS[k % len(LABELS)], SIZE, "randomised")
        _show(axis, made.image, "")
        _outlines(axis, made)
    drawn.suptitle("chests drawn by a program", fontsize=16)
    axis = middle.subplots()
    axis.set(xlim=(0, 1), ylim=(0, 1))
    axis.set_axis_off()
    for level, height in enumerate((0.62, 0.44, 0.28, 0.44, 0.62)):  # the levels of a U-Net, from input to output
        axis.add_patch(Rectangle((0.14 + 0.15 * level, 0.5 - height / 2), 0.11, height, facecolor="0.35"))
    for start, end in ((0.0, 0.12), (0.88, 1.0)):
        axis.annotate("", (end, 0.5), (start, 0.5), arrowprops={"arrowstyle": "-|>", "color": "0.35", "lw": 2})
    middle.suptitle("a network learns", fontsize=16)
    found = model.segment(Path(get_testdata_file("RG1_UNCI.dcm")))
    axis = real.subplots()
    axis.imshow(overlay(found.image, found.mask, found.masks["heart"], widths=True).convert("RGB"))
    axis.set_axis_off()
    real.suptitle("a patient, outlined", fontsize=16)
    return figure


def parts() -> Figure:
    """Plot the attenuation of one chest after each group of parts is added, then its radiograph with the outline."""
    steps = phantom_parts(SEED, 3, "Normal", SIZE)
    made = phantom(SEED, 3, "Normal", SIZE)
    figure, axes = _grid(3, 3)
    for axis, (title, depth) in zip(axes, steps.items(), strict=False):
        _show(axis, depth, title, vmin=0, vmax=1.4)
    _show(axes[len(steps)], made.image, "radiograph, outlined")
    _outlines(axes[len(steps)], made)
    for axis in axes[len(steps) + 1 :]:
        axis.remove()
    return figure


def sheet(setting: str, rows: int, columns: int) -> Figure:
    """Plot phantoms of one setting with their outlines; the class alternates by row."""
    figure, axes = _grid(rows, columns, lines=0)
    for k, axis in enumerate(axes):
        label = LABELS[k // columns % len(LABELS)]
        made = phantom(SEED, 100 + k, label, SIZE, setting)
        _show(axis, made.image, "")
        _outlines(axis, made)
        if k % columns == 0:
            axis.text(-0.05, 0.5, label, rotation=90, ha="right", va="center", fontsize=12, transform=axis.transAxes)
    return figure


def failures(model: Model) -> Figure:
    """Plot phantoms on which the default network fails, with its outline, its Dice and the median Dice of others."""
    figure, axes = _grid(2, 2, lines=2)
    for axis, name in zip(axes, FAILURES, strict=True):
        made, mask = failure(model, name)
        usual = np.median([_dice(*failure(model, name, index)) for index in range(100, 100 + OTHERS)])
        _show(axis, made.image, f"{name}\nDice {_dice(made, mask):.2f}; median of {OTHERS} others {usual:.2f}")
        _outline(axis, made.lungs, AGREED)
        _outline(axis, mask, EXTRA)
    return figure


def _dice(made: Phantom, mask: np.ndarray) -> float:
    return metrics.overlap(made.lungs, mask)["dice"]


def failure(model: Model, name: str, index: int | None = None) -> tuple[Phantom, np.ndarray]:
    """Return one phantom of `FAILURES`, or another of its kind by number, and the mask that the network predicts."""
    chosen, label, changes = FAILURES[name]
    setting = varied("realistic", changes, "failure")
    made = phantom(SEED, chosen if index is None else index, label, SIZE, setting)
    return made, model.segment(made.image).mask


def radiograph(model: Model) -> Figure:
    """Plot the real chest radiograph among pydicom's test files, and what the default network finds in it."""
    from pydicom.data import get_testdata_file

    found = model.segment(Path(get_testdata_file("RG1_UNCI.dcm")))
    figure, axes = _grid(1, 2)
    _show(axes[0], found.image, "a patient (pydicom's RG1_UNCI)")
    axes[1].imshow(overlay(found.image, found.mask, found.masks["heart"], widths=True).convert("RGB"))
    axes[1].set_title(f"cardiothoracic ratio {found.ctr:.2f}", fontsize=12)
    axes[1].set_axis_off()
    return figure


def _grid(rows: int, columns: int, lines: int = 1) -> tuple[Figure, list]:
    """Return a figure as wide as the column of text, and its square axes, each below a title of `lines` lines."""
    figure = Figure(figsize=(6.4, (6.4 / columns + 0.05 + 0.2 * lines) * rows), layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False).ravel())


def _show(axis, image: np.ndarray, title: str, **limits) -> None:
    axis.imshow(image, cmap="gray", **limits)
    axis.set_title(title, fontsize=12)
    axis.set_axis_off()


def _outlines(axis, made: Phantom) -> None:
    for name, colour in (("right_lung", AGREED), ("left_lung", AGREED), ("heart", HEART)):
        _outline(axis, getattr(made, name), colour)


def _outline(axis, mask: np.ndarray, colour: str) -> None:
    if mask.any():
        axis.contour(mask, [0.5], colors=[colour], linewidths=1.3)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
