"""Compare runs, or a run with its baselines, case by case."""

import pandas as pd

from cxrseg import paths, runs, stats
from cxrseg.studies import differences


def cases(name: str, structure: str | None = None) -> pd.DataFrame:
    """Return the scored cases of a run, by default of its first structure."""
    file = paths.run(name) / "cases.csv"
    if not file.is_file():
        raise FileNotFoundError(f"run {name!r} has not been evaluated: {file} is missing")
    rows = pd.read_csv(file, dtype={"case_id": str, "label": str})
    return rows[rows["structure"] == (structure or rows["structure"].iloc[0])].reset_index(drop=True)


def with_baselines(name: str) -> dict[str, pd.DataFrame]:
    """Return the scored cases of a run's network and of both baselines, the network first."""
    rows = pd.read_csv(paths.run(name) / "baselines.csv", dtype={"case_id": str, "label": str})
    return {name: cases(name), **{method: part for method, part in rows.groupby("method", sort=False)}}


def compare(methods: dict[str, pd.DataFrame], metric: str = "dice") -> pd.DataFrame:
    """Compare each method with the first, on the cases that both have.

    Parameters
    ----------
    methods : dict of str to DataFrame
        Scored cases by name; at least one.
    metric : str
        Column to compare.

    Returns
    -------
    DataFrame
        One row per method: ``n``, ``mean``, ``low``, ``high`` (95% interval of the mean), ``p5``; and
        against the first ``shared`` (cases scored by both), ``difference`` of the means on these,
        ``difference_low``, ``difference_high`` and ``p`` (paired permutation test); empty for the first
        and where fewer than two cases are shared.
    """
    (first, reference), *_ = methods.items()
    reference = reference.set_index("case_id")[metric]
    rows = []
    for name, table in methods.items():
        values = table.set_index("case_id")[metric]
        summary = stats.summarise(values)
        row = {"method": name, "n": len(values), "mean": summary["mean"], "p5": summary["p5"]}
        row["low"], row["high"] = summary["ci95"]
        shared = values.index.intersection(reference.index)
        if name != first:
            row["shared"] = len(shared)
        if name != first and len(shared) > 1:
            result = stats.paired(values[shared], reference[shared])
            row |= {"difference": result["mean_difference"], "p": result["p_permutation"]}
            row["difference_low"], row["difference_high"] = result["ci95"]
        rows.append(row)
    columns = ["method", "n", "mean", "low", "high", "p5", "shared", "difference", "difference_low", "difference_high"]
    return pd.DataFrame(rows).reindex(columns=[*columns, "p"])


def parameter_differences(names: list[str]) -> pd.DataFrame:
    """Return the study keys on which runs differ: one row per key, one column per run."""
    studies = {name: runs.study(name) for name in names}
    first = next(iter(studies.values()))
    keys = {key for study in studies.values() for key in differences(first, study)} - {"name", "title"}
    table = {}
    for name, study in studies.items():
        content = study.model_dump()
        table[name] = {key: _value(content, key) for key in sorted(keys)}
    return pd.DataFrame(table)


def _value(content: dict, key: str):
    for part in key.split(".", 1):
        content = content[part]
    return content
