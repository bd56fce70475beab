"""Compare runs, or a run with its baselines, case by case."""

from pathlib import Path

import pandas as pd

from cxrseg import paths, runs
from cxrseg.evaluate import stats
from cxrseg.studies import differences


def cases(name: str) -> pd.DataFrame:
    """Return the scores of a run's first structure, for the cases that have it.

    Raises
    ------
    FileNotFoundError
        The run has not been evaluated.
    """
    file = paths.run(name) / "cases.csv"
    if not file.is_file():
        raise FileNotFoundError(f"run {name!r} has not been evaluated: {file} is missing")
    return table(file, runs.summary(name))


def with_baselines(name: str) -> dict[str, pd.DataFrame]:
    """Return the scored cases of a run's network and of both baselines, the network first."""
    rows = table(paths.run(name) / "baselines.csv", runs.summary(name))
    return {name: cases(name), **{method: part for method, part in rows.groupby("method", sort=False)}}


def table(file: Path, summary: dict) -> pd.DataFrame:
    """Read scored cases and add the fingerprint of their dataset. Runs on one dataset can be compared case by case.

    Parameters
    ----------
    file : Path
        Rows as in ``cases.csv``.
    summary : dict
        The content of the ``summary.json`` that belongs to them.

    Returns
    -------
    DataFrame
        The rows of the first structure whose reference mask is not empty, with the column ``dataset``, a fingerprint.
    """
    rows = pd.read_csv(file, dtype={"case_id": str, "label": str}, keep_default_na=False)
    wanted = (rows["structure"] == rows["structure"].iloc[0]) & (rows["truth_pixels"] > 0)
    rows = rows[wanted].reset_index(drop=True)
    return rows.assign(dataset=summary["provenance"]["dataset_fingerprint"])


def shared(a: pd.DataFrame, b: pd.DataFrame) -> pd.Index:
    """Return the names of the cases that both tables score; none if their datasets differ.

    Equal names in two datasets are not enough: their pixels, masks, size or folds may differ.
    """
    if a["dataset"].iloc[0] != b["dataset"].iloc[0]:
        return pd.Index([], dtype=str)
    return pd.Index(a["case_id"]).intersection(b["case_id"])


def compare(methods: dict[str, pd.DataFrame], metric: str = "dice") -> pd.DataFrame:
    """Compare each method with the first one, paired where they share cases, otherwise by their means.

    Parameters
    ----------
    methods : dict of str to DataFrame
        Scored cases by name, as `cases` returns them; at least one.
    metric : str
        Column to compare.

    Returns
    -------
    DataFrame
        One row per method: ``n``, ``mean``, ``low``, ``high`` (95% interval of the mean), ``p5``; and
        against the first ``comparison``, ``shared`` (cases scored by both), ``difference`` with its 95%
        interval ``difference_low``, ``difference_high``. A ``paired`` comparison takes the shared cases
        alone and has ``p_permutation`` and ``p_wilcoxon``; an ``unpaired`` one, where fewer than two are
        shared or the datasets differ, takes all cases of both and has no test: what differs may be the
        cases. These are empty for the first method.
    """
    (first, reference), *_ = methods.items()
    rows = []
    for name, table in methods.items():
        summary = stats.describe(table[metric])
        row = {"method": name, "n": len(table), "mean": summary["mean"], "p5": summary["p5"]}
        row["low"], row["high"] = summary["ci95"]
        if name != first:
            row |= _against(reference, table, metric)
        rows.append(row)
    columns = ["method", "n", "mean", "low", "high", "p5", "comparison", "shared", "difference", "difference_low"]
    table = pd.DataFrame(rows).reindex(columns=[*columns, "difference_high", "p_permutation", "p_wilcoxon"])
    return table.astype({"shared": "Int64"})


def _against(reference: pd.DataFrame, table: pd.DataFrame, metric: str) -> dict:
    common = shared(reference, table)
    a, b = (rows.set_index("case_id")[metric] for rows in (table, reference))
    if len(common) > 1:
        result = stats.paired(a[common], b[common])
        row = {"comparison": "paired", "p_permutation": result["p_permutation"], "p_wilcoxon": result["p_wilcoxon"]}
    else:
        result, row = stats.unpaired(a, b), {"comparison": "unpaired"}
    low, high = result["ci95"]
    return row | {
        "shared": len(common),
        "difference": result["mean_difference"],
        "difference_low": low,
        "difference_high": high,
    }


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
