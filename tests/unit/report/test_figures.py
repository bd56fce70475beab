import io
import xml.etree.ElementTree as ElementTree

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from cxrseg.report import figures

NAMES = ["$x$", "a $ b", "_hidden", "<b>&", r"\frac{1}"]


def shown(figure) -> set[str]:
    """Return the texts of a figure as they are drawn; a formula is drawn in pieces."""
    file = io.BytesIO()
    with plt.rc_context({"svg.fonttype": "none"}):
        figure.savefig(file, format="svg")
    root = ElementTree.fromstring(file.getvalue())
    return {"".join(element.itertext()).strip() for element in root.iter("{http://www.w3.org/2000/svg}text")}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_drawn_as_they_are(name):
    rows = pd.DataFrame({"label": [name, name, "Normal"], "fold": [0, 1, 0], "dice": [0.5, 0.6, 0.9]})
    rows = rows.assign(predicted_dice=rows["dice"], lungs_share=0.3, case_id=list("abc"), dataset="d")
    drawn = [
        figures.class_counts(rows),
        figures.area_by_class(rows, "lungs"),
        figures.dice_by_class(rows),
        figures.predicted_quality(rows),
        figures.differences({"one": rows, "two": rows}),
    ]
    for figure in drawn:
        assert name in shown(figure)
