"""Score the default model on JSRT: both lungs, the heart and the cardiothoracic ratio, case by case."""

from pathlib import Path

import pandas as pd

from cxrseg.config import EvaluateConfig
from cxrseg.evaluate import stats
from cxrseg.evaluate.scores import RATIOS, compare_ratios
from cxrseg.publish.experiments import Experiment
from cxrseg.publish.tables import decision, scored_on


def measure(experiment: Experiment) -> tuple[dict, pd.DataFrame]:
    """Summarise the films by which the heart of the phantoms was steered, and the others; return each film as well."""
    rows, large = table(scored_on(experiment, "jsrt")), experiment.options["large"]
    return {"large_above": large, **{name: summarise(part, large) for name, part in rows.groupby("group")}}, rows


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per film, given one per film and structure: name, group, Dice of each structure, and both ratios."""
    wide = rows.pivot_table("dice", "case_id", "structure", sort=False).add_prefix("dice_")
    wide = wide.join(rows[rows["structure"] == "heart"].set_index("case_id")[list(RATIOS)])
    steered = decision("jsrt", wide.index)
    wide.insert(0, "group", ["decision" if name in steered else "others" for name in wide.index])
    wide.index = [Path(name).stem for name in wide.index]
    return wide.rename_axis("name").reset_index()


def summarise(rows: pd.DataFrame, large: float) -> dict:
    """Summarise the Dice of each structure and the agreement of the ratios, of all films and by the size of hearts.

    Parameters
    ----------
    rows : DataFrame
        As `table` returns them.
    large : float
        Reference ratio above which a heart is counted as large, apart from the others.
    """
    structures = {
        name.removeprefix("dice_"): stats.describe(rows[name]) for name in rows if str(name).startswith("dice_")
    }
    is_large, config = rows["truth_ctr"] > large, EvaluateConfig()
    ratios = {"ctr": rows, "ctr_large": rows[is_large], "ctr_rest": rows[~is_large]}
    return {
        "n": len(rows), "structures": structures,
        **{name: compare_ratios(part, config) for name, part in ratios.items()},
    }  # fmt: skip
