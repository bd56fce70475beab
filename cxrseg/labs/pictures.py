"""Draw radiographs for a lab, and show pictures side by side."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np

from cxrseg.phantom import phantom

OUTLINES = ("#e69f00", "#56b4e9", "#009e73", "#cc79a7")
"""Colours that people with any kind of colour vision tell apart (Okabe and Ito)."""


def films(seed: int, number: int, size: int = 48, labels: Sequence[str] = ("Normal",)) -> tuple[np.ndarray, np.ndarray]:
    """Draw radiographs of phantoms, each of another patient.

    Parameters
    ----------
    seed, number : int
        Another seed draws other patients.
    size : int
        Pixels a side.
    labels : sequence of str
        Diagnostic classes, taken by turns.

    Returns
    -------
    images : (number, size, size) float array
        From 0 (black) to 1 (white).
    lungs : (number, size, size) bool array
    """
    made = [phantom(seed, k, labels[k % len(labels)], size) for k in range(number)]
    return np.array([film.image / 255 for film in made]), np.array([film.lungs for film in made])


def pictures(images: Mapping[str, np.ndarray], outlines: Mapping[str, np.ndarray] | None = None, columns: int = 3):
    """Show radiographs or masks side by side.

    Parameters
    ----------
    images : mapping of str to (H, W) array
        Each picture under its title: uint8 from 0 black to 255 white; boolean masks white on black; the others
        together from the least value of all to the largest, so that equal values look equal.
    outlines : mapping of str to (H, W) bool array, optional
        Masks whose outlines are drawn into every picture, each in its own colour under its name.
    columns : int
        Largest number of pictures in a row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.2 * columns, 2.45 * rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat:
        axis.set_axis_off()
    real = [image for image in images.values() if image.dtype.kind == "f"]
    both = (min(map(np.min, real)), max(map(np.max, real))) if real else (None, None)
    for axis, (title, image) in zip(axes.flat, images.items(), strict=False):
        limits = (0, 255) if image.dtype == np.uint8 else both if image.dtype.kind == "f" else (None, None)
        axis.imshow(image, cmap="gray", vmin=limits[0], vmax=limits[1])
        axis.set_title(title, fontsize=9)
        for colour, mask in zip(OUTLINES, (outlines or {}).values(), strict=False):
            axis.contour(mask, [0.5], colors=colour, linewidths=1.2)
    if outlines:
        lines = [plt.Line2D([], [], color=colour) for colour in OUTLINES[: len(outlines)]]
        figure.legend(lines, outlines, loc="outside lower center", ncols=len(outlines), fontsize=9)
    plt.close(figure)  # a cell shows the figure that it returns, once
    return figure
