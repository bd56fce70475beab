"""Compare runs, or a run with its baselines, case by case."""

from pathlib import Path

import pandas as pd

from cxrseg import paths, runs
from cxrseg.evaluate import stats
from cxrseg.files import read_csv
from cxrseg.studies import differences

_AGAIN = "remove it, and score the run again: cxrseg book "


def cases(name: str) -> pd.DataFrame:
    """Return the scores of a run's first structure for the cases whose reference mask contains it.

    Raises
    ------
    FileNotFoundError
        There is no such run, or it has not been evaluated.
    ValueError
        Its table lacks some of the cases that its summary counts.
    """
    summary, file = runs.summary(name), paths.run(name) / "cases.csv"
    found = table(file, summary)
    if len(found) != summary["dice"]["n"]:
        raise ValueError(f"{file}: {len(found)} cases, but {summary['dice']['n']} were scored; {_AGAIN}{name}")
    return found


def with_baselines(name: str) -> dict[str, pd.DataFrame]:
    """Return the scored cases of a run's network and of both baselines by name, the network first."""
    rows = table(paths.run(name) / "baselines.csv", runs.summary(name))
    return {name: cases(name), **{method: part for method, part in rows.groupby("method", sort=False)}}


def table(file: Path, summary: dict) -> pd.DataFrame:
    """Read scored cases and add the fingerprint of their dataset, so that only runs on one dataset are paired.

    Parameters
    ----------
    file : Path
        Scored cases in the format of ``cases.csv``.
    summary : dict
        The content of the corresponding ``summary.json``.

    Returns
    -------
    DataFrame
        The rows of the first structure with a non-empty reference mask, and a column ``dataset`` with the fingerprint.
    """
    rows = read_csv(file, dtype={"case_id": str, "label": str}, keep_default_na=False)
    if rows.empty:
        raise ValueError(f"{file}: holds no case; {_AGAIN}{file.parent.name}")
    wanted = (rows["structure"] == rows["structure"].iloc[0]) & (rows["truth_pixels"] > 0)
    rows = rows[wanted].reset_index(drop=True)
    return rows.assign(dataset=summary["provenance"]["dataset_fingerprint"])


def shared(a: pd.DataFrame, b: pd.DataFrame) -> pd.Index:
    """Return the ``case_id`` of the cases in both tables, or none if their datasets differ.

    Equal names in two datasets are not enough, because their pixels, masks, size or folds may differ.
    """
    if a["dataset"].iloc[0] != b["dataset"].iloc[0]:
        return pd.Index([], dtype=str)
    return pd.Index(a["case_id"]).intersection(b["case_id"])


def compare(methods: dict[str, pd.DataFrame], metric: str = "dice") -> pd.DataFrame:
    """Compare each method with the first one: by paired differences if they share cases, otherwise by means.

    Parameters
    ----------
    methods : dict of str to DataFrame
        Scored cases by method name, as `cases` returns them; at least one method.
    metric : str
        Column to compare.

    Returns
    -------
    DataFrame
        One row per method: ``n``, ``mean``, ``low`` and ``high`` (confidence interval of the mean) and ``p5``.
        The other columns compare with the first method and are empty for it: ``comparison``, ``shared`` (cases
        scored by both), ``difference`` (method minus first) and its confidence interval ``difference_low`` to
        ``difference_high``. A ``paired`` comparison uses only the shared cases and reports ``p_permutation`` and
        ``p_wilcoxon``. An ``unpaired`` one is made if fewer than two cases are shared or the datasets differ. It uses
        all cases of both methods and reports no test, because the difference may stem from the cases.
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


def report(names: list[str]) -> str:
    """Return in words how runs compare with the first, and which of their parameters differ."""
    found = compare({name: cases(name) for name in names})
    lines = [found.to_string(index=False, float_format="{:.4f}".format, na_rep="")]
    if (found["comparison"] == "unpaired").any():
        lines.append("unpaired: these runs share no prepared case, so the difference may come from the cases")
    changed = parameter_differences(names)
    lines += ["\nparameters that differ:", changed.to_string()] if len(changed) else ["\nno parameter differs"]
    return "\n".join(lines)


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
    """Return the study parameters that differ between runs: one row per key, one column per run."""
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
