"""The page "Case atlas": a small image of every test case of a run, with its scores and a link.

The cards are plain HTML, so that the page shows them and their links without a script. The script adds sorting and
filtering. Each image consists of two files, the radiograph and a transparent layer with the reference outline and the
errors, so that a reader can view the radiograph alone.
"""

from html import escape
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import binary_erosion

from cxrseg.data.square import mask_to_square, to_square
from cxrseg.files import new_folder, write_text
from cxrseg.report.cases import TestCases

SIDE = 256
"""Longest side of the images in pixels. Larger images are shrunk for display only."""

OUTLINE, MISSED, EXTRA = (0, 158, 115), (230, 159, 0), (204, 121, 167)
"""Colours of the reference outline, of missed and of extra pixels, as in the notebooks (Okabe and Ito's palette)."""


def assemble(cases: TestCases, page: Path, folder: Path) -> None:
    """Write the cards to an HTML file and the images to a folder, which is replaced atomically.

    Parameters
    ----------
    cases : TestCases
    page : Path
        HTML file for one list with one item per case.
    folder : Path
        Output folder for ``<anchor>.webp`` and ``<anchor>.png`` of each case. Earlier content is removed.
    """
    cards = []
    with new_folder(folder) as partial:
        for n, row in enumerate(cases.table.to_dict("records")):
            truth, prediction = cases.truth(n), cases.prediction(n)
            grey = picture(cases.image(n))
            grey.save(partial / f"{row['anchor']}.webp", quality=75, method=2)
            errors(truth, prediction).save(partial / f"{row['anchor']}.png")
            cards.append(card(row, int((truth & ~prediction).sum()), int((prediction & ~truth).sum()), grey.width))
    write_text(page, f'<ol id="atlas-cases">\n{"".join(cards)}</ol>\n')


def picture(image: np.ndarray) -> Image.Image:
    """Return a radiograph, (size, size) uint8, shrunk to at most `SIDE` pixels a side."""
    return Image.fromarray(to_square(image, min(SIDE, len(image))))


def errors(truth: np.ndarray, prediction: np.ndarray) -> Image.Image:
    """Draw the outline of the reference mask, and colour the pixels that the prediction misses or adds.

    Parameters
    ----------
    truth, prediction : (size, size) bool array

    Returns
    -------
    PIL.Image.Image
        Palette image with 0 transparent, 1 outline, 2 missed and 3 extra, at most `SIDE` pixels a side.
    """
    side = min(SIDE, len(truth))
    truth, prediction = (mask_to_square(mask, side) for mask in (truth, prediction))
    drawn = np.zeros(truth.shape, np.uint8)
    drawn[truth & ~binary_erosion(truth)] = 1
    drawn[truth & ~prediction] = 2
    drawn[prediction & ~truth] = 3
    image = Image.fromarray(drawn)
    image.putpalette([0, 0, 0, *OUTLINE, *MISSED, *EXTRA])
    image.info["transparency"] = bytes([0, 255, 230, 230])
    return image


def card(row: dict, missed: int, extra: int, side: int) -> str:
    """Return the HTML list item of one case.

    Parameters
    ----------
    row : dict
        A row of `TestCases.table`.
    missed, extra : int
        Number of reference pixels that were not predicted, and of predicted pixels outside the reference.
    side : int
        Side of the image in pixels.
    """
    name, label, anchor = (escape(str(row[key])) for key in ("case_id", "label", "anchor"))
    data = f'data-name="{name}" data-class="{label}" data-dice="{row["dice"]:.5g}" data-hd95="{row["hd95_px"]:.5g}"'
    numbers = {"Dice": f"{row['dice']:.3f}", "HD95": f"{row['hd95_px']:.1f} px"}
    if "predicted_dice" in row:
        data += f' data-predicted="{row["predicted_dice"]:.5g}"'
        numbers["Predicted"] = f"{row['predicted_dice']:.3f}"
    size = f'width="{side}" height="{side}" loading="lazy" decoding="async"'
    files = f"../_static/atlas/{anchor}"
    listed = "".join(f"<div><dt>{key}</dt><dd>{value}</dd></div>" for key, value in numbers.items())
    return (
        f'<li id="{anchor}" {data}>\n'
        f'<div class="atlas-picture"><img src="{files}.webp" alt="Chest X-ray" {size}>'
        f'<img src="{files}.png" alt="{missed:,} pixels missed, {extra:,} extra" {size}></div>\n'
        f'<p><a href="#{anchor}">{name}</a> <span>{label}</span></p>\n'
        f"<dl>{listed}</dl>\n"
        f'<a class="atlas-back" href="#all-cases">Back to all cases</a>\n</li>\n'
    )
