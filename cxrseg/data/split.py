"""Split cases into folds, take validation from the training folds, and count copies that a split divides."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def clusters(table: pd.DataFrame, twins: list[tuple[int, int, float]]) -> np.ndarray:
    """Number the groups of cases that belong to one patient, have equal pixels or are near-duplicates.

    Parameters
    ----------
    table : DataFrame
        ``group`` (patient, empty where unknown) and ``sha256`` (of the pixels) of n cases.
    twins : list of (int, int, float)
        Near-duplicates: two row numbers and their correlation.

    Returns
    -------
    (n,) int array
        The cluster of each case. Cases of one cluster are never divided by a split.
    """
    n, ties = len(table), [(i, j) for i, j, _ in twins]
    for column in ("group", "sha256"):
        known = table[table[column] != ""]
        for members in known.groupby(column).indices.values():
            numbers = known.index[members]
            ties += [(numbers[0], other) for other in numbers[1:]]
    i, j = np.array(ties, int).reshape(-1, 2).T
    return connected_components(coo_array((np.ones(len(i)), (i, j)), shape=(n, n)), directed=False)[1]


def assign_folds(labels, clusters, folds: int, seed: int) -> np.ndarray:
    """Split cases into folds, stratified by class, a cluster never divided.

    Clusters are shuffled, sorted by class and then by size, the largest first, and dealt to the folds in turn.

    Parameters
    ----------
    labels, clusters : (n,) sequences
        Diagnostic class and cluster number of each case.
    folds : int
    seed : int

    Returns
    -------
    (n,) int array
        The fold, from 0, in which each case is tested.

    Raises
    ------
    ValueError
        There are fewer clusters than folds.
    """
    cases = pd.DataFrame({"label": list(labels), "cluster": list(clusters)})
    units = cases.groupby("cluster").agg(label=("label", "first"), size=("label", "size"))
    if len(units) < folds:
        raise ValueError(
            f"{len(units)} independent cases cannot fill {folds} folds (copies, and images of one patient, count as "
            "one): add cases or lower data.folds"
        )
    units = units.sample(frac=1, random_state=seed)
    units = units.sort_values(["label", "size"], ascending=[True, False], kind="stable")
    units["fold"] = np.arange(len(units)) % folds
    return cases["cluster"].map(units["fold"]).to_numpy()


def split(
    cases: pd.DataFrame, fold: int, share: float, seed: int, n: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the row numbers of the training, validation and test cases of one fold.

    Validation is one of min(round(1 / `share`), clusters) parts of the training folds, stratified by class, clusters
    whole. With `n`, only that many cases of the training folds are used; the seed and the fold decide which.

    Raises
    ------
    ValueError
        No case has this fold number, or the training folds have fewer than `n` cases.
    """
    inside = np.flatnonzero(cases["fold"] != fold)
    testing = np.flatnonzero(cases["fold"] == fold)
    if not len(testing):
        raise ValueError(f"fold {fold} does not exist: this dataset has folds 0 to {cases['fold'].max()}")
    if n > len(inside):
        raise ValueError(f"train.cases {n} is more than the {len(inside)} cases of the training folds: use 0 for all")
    if n:
        inside = np.sort(np.random.default_rng([seed, fold]).permutation(inside)[:n])
    rest = cases.iloc[inside]
    if rest["cluster"].nunique() < 2:
        raise ValueError(
            f"fold {fold} has fewer than two independent cases to learn from: add cases or raise train.cases"
        )
    parts = min(round(1 / share), rest["cluster"].nunique())
    chosen = assign_folds(rest["label"], rest["cluster"], parts, seed + 1) == 0
    return inside[~chosen], inside[chosen], testing


def leakage(cases: pd.DataFrame, duplicates: list[dict]) -> dict[str, int]:
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
    """Return the pairs of cases with equal values; of more than two equal cases, each is paired with the first."""
    pairs = set()
    for _, ids in cases[cases[column] != ""].groupby(column)["case_id"]:
        first, *others = ids
        pairs |= {frozenset((first, other)) for other in others}
    return pairs
