"""Does a test case have a copy in training? Counted for every run, and planted where one wants to know the harm."""

import pandas as pd


def report(cases: pd.DataFrame, duplicates: list[dict]) -> dict[str, int]:
    """Count the pairs of cases that show one film, and those that a fold divides.

    Parameters
    ----------
    cases : DataFrame
        ``cases.csv`` of a prepared dataset: ``case_id``, ``group``, ``sha256``, ``cluster``, ``fold``.
    duplicates : list of dict
        ``duplicates`` of ``dataset.json``: the near duplicates found, ``a`` and ``b`` of each pair.

    Returns
    -------
    dict
        Pairs ``exact`` (equal pixels), ``near`` (one film, other pixels) and ``same_patient`` (where patients
        are known; else 0); ``cases_in_clusters``, the cases tied to another one; ``across_folds``, the pairs
        of any kind with a case in two folds, 0 unless the split is broken.
    """
    fold = dict(zip(cases["case_id"], cases["fold"], strict=True))
    exact, patient = _pairs(cases, "sha256"), _pairs(cases, "group")
    near = {frozenset((pair["a"], pair["b"])) for pair in duplicates} - exact
    sizes = cases["cluster"].map(cases["cluster"].value_counts())
    return {
        "exact": len(exact),
        "near": len(near),
        "same_patient": len(patient),
        "cases_in_clusters": int((sizes > 1).sum()),
        "across_folds": sum(len({fold[case] for case in pair}) > 1 for pair in exact | near | patient),
    }


def _pairs(cases: pd.DataFrame, column: str) -> set[frozenset]:
    """Return the pairs of cases that tie one another by an equal value; of many, each with the first."""
    pairs = set()
    for _, ids in cases[cases[column] != ""].groupby(column)["case_id"]:
        first, *others = ids
        pairs |= {frozenset((first, other)) for other in others}
    return pairs
