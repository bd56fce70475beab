"""A matrix of scores: trained runs in the rows, tested sets in the columns.

A cell is the mean Dice of a run on a set, as `cxrseg.evaluate.external` scores it. A network is never scored on
radiographs that it may have learnt from: those are left out, and where none is left, the cell is the score of the
run's own test cases.
"""

import re
from contextlib import ExitStack

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cxrseg import models, paths, runs
from cxrseg.data.sets import RUN, parse, require_same, set_name
from cxrseg.evaluate import stats
from cxrseg.evaluate.external import networks_digest
from cxrseg.files import read_csv, read_json, state, write_csv, write_json, write_whole

OWN = "*: the run's own test cases, each outlined by a network that had not learnt from it (cross-validated)"


def start(names: list[str], on: list[str]) -> dict:
    """Write the request for a matrix to the first run, as ``matrix.json``, and remove scores that are out of date.

    Parameters
    ----------
    names : list of str
        Evaluated runs, or ``default`` but not first.
    on : list of str
        Sets as ``SOURCE:PATH``.

    Raises
    ------
    FileNotFoundError
        A run does not exist or has not been evaluated.
    ValueError
        A run or a set is given twice, the first run is the default model, or a set does not exist or has a name that
        Snakemake cannot handle.
    RuntimeError
        Another process works on one of the runs.

    Returns
    -------
    dict
        The request.
    """
    if names[0] == models.DEFAULT:
        raise ValueError(
            f"--runs {names[0]}: the matrix is written to the first run's folder, and {names[0]} has none: "
            "name another run first"
        )
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"--runs {name}: given twice")
        if name != models.DEFAULT:
            runs.summary(name)
    found, sets, origin = {}, {}, {}
    for given in on:
        source, path = parse(given)
        name = set_name(source, path)
        if re.search(r"[<>{}\n]", name):
            raise ValueError(f"--on {given}: rename the folder, because Snakemake cannot handle < > {{ }} in names")
        if name in sets:
            raise ValueError(f"--on {given}: there is another set of the name {name!r}: rename one of the folders")
        found[name], origin[name] = path, source
        sets[name] = given if source == RUN else f"{source}:{path.resolve()}"
    cells = [(run, name) for run in names for name in sets if sets[name] != f"{RUN}:{run}"]
    states = {name: state(path) for name, path in found.items()}
    networks = {run: networks_digest(run) for run in names}
    request = {"sets": sets, "cells": cells, "runs": names}
    for run, name in cells:
        require_same(paths.external(run, name), origin[name], found[name])
    with ExitStack() as locks:
        for run in names:
            if run != models.DEFAULT:
                locks.enter_context(runs.locked(run))
        for run, name in cells:
            file = paths.external(run, name) / "summary.json"
            summary = read_json(file) if file.is_file() else {}
            known = [summary.get(key) for key in ("source", "labels", "state", "networks")]
            # A table names files elsewhere, whose state is not known.
            if known != [origin[name], {}, states[name], networks[run]] or origin[name] == "csv":
                file.unlink(missing_ok=True)
        write_json(paths.run(names[0]) / "matrix.json", request)
    return request


def finish(request: dict) -> str:
    """Collect the cells of a request, write ``matrix.csv`` and ``matrix.png`` to its run, and return the table as text.

    A cell that failed has no score.
    """
    folder = paths.run(request["runs"][0])
    table = pd.DataFrame(
        [_cell(run, name, on == f"{RUN}:{run}") for run in request["runs"] for name, on in request["sets"].items()]
    )
    write_csv(folder / "matrix.csv", table)
    write_whole(folder / "matrix.png", lambda partial: picture(table).savefig(partial, dpi=200))
    lines = [written(table).to_string()]
    lines += [OWN] if table["own"].any() else []
    lines += [f"no score: {cell.run} on {cell.set}" for cell in table[table["n"] == 0].itertuples()]
    return "\n".join([*lines, str(folder / "matrix.csv")])


def _cell(run: str, name: str, own: bool) -> dict:
    """Return one row of ``matrix.csv``; without a score, `n` is 0."""
    cell = {"run": run, "set": name, "n": 0, "mean": np.nan, "low": np.nan, "high": np.nan, "own": False, "left_out": 0}
    cell["networks"] = networks_digest(run)
    folder = paths.external(run, name)
    if own:
        return cell | _scores(runs.summary(run)["dice"]) | {"own": True}
    if not (folder / "summary.json").is_file():
        return cell
    summary = read_json(folder / "summary.json")
    cell["networks"] = summary["networks"]
    if not summary["own"]:
        return cell | _scores(summary["dice"])
    rows = read_csv(folder / "cases.csv", dtype={"case_id": str}, keep_default_na=False)
    rows = rows[(rows["structure"] == rows["structure"].iloc[0]) & (rows["truth_pixels"] > 0)]
    unseen = rows.loc[~rows["case_id"].isin(summary["own"]), "dice"]
    if unseen.empty:  # the prepared data of a run with the same cases have its test score; other sets have none
        own_score = _scores(runs.summary(run)["dice"]) | {"own": True} if summary["source"] == RUN else {}
        return cell | own_score | {"left_out": len(rows)}
    config = runs.study(run).evaluate
    scores = stats.describe(unseen, config.confidence, config.resamples, config.seed)
    return cell | _scores(scores) | {"left_out": len(rows) - len(unseen)}


def _scores(dice: dict) -> dict:
    low, high = dice["ci95"]
    return {"n": dice["n"], "mean": dice["mean"], "low": low, "high": high}


def _text(cell) -> str:
    if not cell.n:
        return "no score"
    return f"{cell.mean:.3f}{'*' * cell.own} ({cell.low:.3f} to {cell.high:.3f})"


def written(table: pd.DataFrame) -> pd.DataFrame:
    """Return a matrix as text, a row for each run and a column for each set.

    Parameters
    ----------
    table : DataFrame
        ``matrix.csv``.
    """
    names, sets = table["run"].unique(), table["set"].unique()
    cells = np.array([_text(cell) for cell in table.itertuples()], dtype=object)
    return pd.DataFrame(cells.reshape(len(names), len(sets)), names, sets)


def picture(table: pd.DataFrame) -> Figure:
    """Draw a matrix as a heat map with the mean Dice and its interval in each cell.

    Parameters
    ----------
    table : DataFrame
        ``matrix.csv``.
    """
    rows, columns = table["run"].unique(), table["set"].unique()
    figure = Figure(figsize=(1.4 + 1.2 * len(columns), 1 + 0.62 * len(rows)), layout="constrained")
    axis = figure.subplots()
    means = table["mean"].to_numpy().reshape(len(rows), len(columns))
    axis.set_facecolor("0.93")
    # From dark blue to yellow, so that colour-blind readers see the order as well, and print keeps it.
    image = axis.imshow(means, cmap="cividis", vmax=1, aspect="auto")
    for n, cell in enumerate(table.itertuples()):
        y, x = divmod(n, len(columns))
        colour = "black" if not cell.n or image.norm(cell.mean) > 0.5 else "white"
        if not cell.n:
            axis.text(x, y, "no score", ha="center", va="center", fontsize=9)
            continue
        mark = "*" if cell.own else ""
        axis.text(
            x, y - 0.12, f"{cell.mean:.3f}{mark}", color=colour, ha="center", va="center", fontsize=12, weight="bold"
        )
        axis.text(x, y + 0.24, f"{cell.low:.3f}–{cell.high:.3f}", color=colour, ha="center", va="center", fontsize=9)
        if cell.own:
            axis.add_patch(Rectangle((x - 0.47, y - 0.46), 0.94, 0.92, fill=False, edgecolor=colour, lw=1.5, ls="--"))
    axis.set_xticks(range(len(columns)), map(short, columns), parse_math=False)
    axis.set_yticks(range(len(rows)), map(short, rows), parse_math=False)
    axis.set_xticks(np.arange(0.5, len(columns) - 1), minor=True)
    axis.set_yticks(np.arange(0.5, len(rows) - 1), minor=True)
    axis.grid(which="minor", color="white", lw=2)
    axis.tick_params(which="both", length=0, labelsize=10)
    axis.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
    axis.set(ylabel="trained", title="tested on")
    return figure


def short(name: str, width: int = 14) -> str:
    """Break a long name into lines, and cut what does not fit on three."""
    lines = [name[start : start + width] for start in range(0, len(name), width)]
    return "\n".join(lines if len(lines) < 4 else [*lines[:2], lines[2][: width - 1] + "…"])
