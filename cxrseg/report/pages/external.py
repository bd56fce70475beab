"""The page "External validation": what a run scores on other datasets, as a chart and a table, and its matrix."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from cxrseg import paths, runs
from cxrseg.evaluate.external import networks_digest
from cxrseg.files import new_folder, read_csv, read_json, write_text
from cxrseg.report import matrix, text
from cxrseg.report.figures import colours
from cxrseg.terminal import in_words

HEADERS = ("Set", "Class", "Cases", "Mean Dice", "Confidence interval", "HD95, share of lung height", "HD95, mm")

FIGURE = """```{{figure}} executed/external/{name}.png
:name: fig-{name}
:alt: {alt}
:figclass: {kind}

{caption}
```
"""


def assemble(run: str, folder: Path) -> None:
    """Write the part of the page that depends on the run, ``page.md``, with its pictures.

    Parameters
    ----------
    run : str
        An evaluated run.
    folder : Path
        Output folder. Earlier content is removed.
    """
    results = load_results(run)
    parts = [_results(runs.summary(run), results)] if results else [_how_to(run)]
    grid = paths.run(run) / "matrix.csv"
    with new_folder(folder) as partial:
        if results:
            means(runs.summary(run), results).savefig(partial / "external.png", dpi=200)
        if grid.is_file():
            table = read_csv(grid, dtype={"run": str, "set": str}, keep_default_na=False, na_values=[""])
            picture = matrix.picture(table)
            picture.savefig(partial / "matrix.png", dpi=200)
            parts.append(_matrix(table, picture))
        write_text(partial / "page.md", "\n".join(parts))


def load_results(run: str) -> dict[str, dict]:
    """Return ``summary.json`` of each external dataset of a run by the name of the dataset, in alphabetical order."""
    files = sorted(paths.run(run).glob("external/*/summary.json"))
    return {file.parent.name: read_json(file) for file in files}


def means(own: dict, results: dict[str, dict]) -> Figure:
    """Plot the mean Dice with its interval for each dataset, over all cases and by class.

    Parameters
    ----------
    own : dict
        ``summary.json`` of the run, the first dataset in the chart.
    results : dict of str to dict
        As `load_results` returns them.
    """
    sets = {f"{own['run']} (its own test cases)": own} | results
    rows = [(name, label, scores) for name, summary in sets.items() for label, scores in _parts(summary)]
    palette = colours(label for _, label, _ in rows if label) | {"": "black"}
    figure = Figure(figsize=(4.8, 0.7 + 0.27 * len(rows)), layout="constrained")
    axis = figure.subplots()
    for place, (_, label, scores) in enumerate(rows):
        axis.plot(scores["dice"]["ci95"], [place, place], color=palette[label], lw=2)
        axis.plot(scores["dice"]["mean"], place, "D" if not label else "o", color=palette[label], ms=6)
        if place and not label:
            axis.axhline(place - 0.5, color="0.85", lw=0.8)
    names = [label or matrix.short(name, 26) for name, label, _ in rows]
    axis.set_yticks(range(len(rows)), names, parse_math=False, fontsize=9)
    for tick, (_, label, _) in zip(axis.get_yticklabels(), rows, strict=True):
        tick.set_weight("normal" if label else "bold")
    axis.set_xlabel("mean Dice per image, with its confidence interval")
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.grid(axis="x", alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def _parts(summary: dict) -> list[tuple[str, dict]]:
    """Return the scores over all cases, named ``""``, and those of each class if there are several."""
    classes = summary["classes"]
    return [("", summary["structures"][_first(summary)]), *(classes.items() if len(classes) > 1 else ())]


def _first(summary: dict) -> str:
    return next(iter(summary["structures"]))


def _results(own: dict, results: dict[str, dict]) -> str:
    figure = FIGURE.format(
        name="external",
        alt=f"Mean Dice with its interval by class, on the run's own test cases and {len(results)} other sets.",
        kind="narrow",
        caption="Mean Dice with its confidence interval: diamonds over all cases of a set, dots by diagnostic class.",
    )
    lines = [f"| {' | '.join(HEADERS)} |", f"|:--|:--{'|--:' * (len(HEADERS) - 2)}|"]
    lines += [_row(name, label, scores) for name, summary in results.items() for label, scores in _parts(summary)]
    notes = [f"- **{text.markdown(name)}**, {_note(own['run'], summary)}" for name, summary in results.items()]
    return "\n".join([figure, *lines, "", *notes, ""])


def _row(name: str, label: str, scores: dict) -> str:
    def number(key: str, form: str) -> str:
        if key not in scores:
            return "–"
        known = scores[key]["n"]
        return format(scores[key]["mean"], form) + (f" (n = {known:,})" if known != scores["n"] else "")

    low, high = scores["dice"]["ci95"]
    cells = [
        text.markdown(name),
        text.markdown(label) or "all",
        f"{scores['n']:,}",
        number("dice", ".3f"),
        f"{low:.3f} to {high:.3f}",
    ]
    return f"| {' | '.join([*cells, number('hd95_height', '.1%'), number('hd95_mm', '.1f')])} |"


def _changed(run: str, networks: str | None) -> bool:
    """Return whether a run is gone, or has other networks than those that were scored."""
    try:
        return networks_digest(run) != networks
    except FileNotFoundError:
        return True


def _note(run: str, summary: dict) -> str:
    grid = f"a square of {summary['grid']} pixels" if summary.get("grid") else "the pixels of each mask"
    refused = f", {len(summary['refused']):,} more refused" if summary["refused"] else ""
    said = f"source `{summary.get('source', 'unknown')}`, scored on {grid}: {summary['n_cases']:,} cases{refused}."
    others = [
        f"{text.markdown(name)} {scores['dice']['mean']:.3f}"
        for name, scores in list(summary["structures"].items())[1:]
        if "dice" in scores
    ]
    if others:
        said += f" Mean Dice of other structures: {', '.join(others)}."
    if ctr := summary.get("ctr"):
        said += f" {in_words(ctr).capitalize()}."
    if _changed(run, summary.get("networks")):
        said += " The run has other networks now: score it again."
    if summary["own"]:
        said += f" {len(summary['own']):,} are the run's own radiographs: this is not a score on unseen cases."
    for note, count in summary.get("notes", {}).items():
        said += f" In {count:,} cases {text.markdown(note)}."
    if summary.get("doubt"):
        said += f" Warning: {text.markdown(summary['doubt'])}"
    if summary.get("outlines"):
        said += f" Its outlines: {text.markdown(summary['outlines'])}"
    return said


def _matrix(table: pd.DataFrame, picture: Figure) -> str:
    caption = "Mean Dice with its confidence interval: trained in the rows, tested in the columns."
    if table["own"].any():
        caption += " Framed: the run's own test cases, each outlined by a network that had not learnt from it."
    if table["left_out"].any():
        caption += " Radiographs that a run had learnt from are left out of its cells."
    changed = [cell.run for cell in table.drop_duplicates("run").itertuples() if _changed(cell.run, cell.networks)]
    if changed:
        caption += (
            f" Since then the networks of {text.markdown(', '.join(changed))} have changed: make the matrix again."
        )
    missing = [f"{cell.run} on {cell.set}" for cell in table[table["n"] == 0].itertuples()]
    if missing:
        caption += f" No score: {text.markdown(', '.join(missing))}."
    figure = FIGURE.format(
        name="matrix",
        alt="A heat map of the mean Dice of each run on each set; the table below has the numbers.",
        kind="wide" if picture.get_figwidth() > 5.5 else "narrow",
        caption=caption,
    )
    numbers = matrix.written(table)
    lines = [f"| Run | {' | '.join(map(text.markdown, numbers.columns))} |", f"|:--|{'--:|' * len(numbers.columns)}"]
    lines += [f"| {text.markdown(run)} | {' | '.join(map(text.markdown, row))} |" for run, *row in numbers.itertuples()]
    return "\n".join(["## Trained here, tested there", "", figure, *lines, ""])


def _how_to(run: str) -> str:
    return (
        "This run has not been scored on another set. "
        f"`cxrseg evaluate {run} --on folder:PATH` does it, and `cxrseg book {run}` shows it here.\n"
    )
