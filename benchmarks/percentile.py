"""How sure are we of the 5th percentile of Dice? Its interval, from the published scores of each case.

    python benchmarks/percentile.py

The interval lies between two of the sorted scores, whatever their distribution (Conover, Practical Nonparametric
Statistics, 3rd ed., 1999, section 3.2). Nothing is trained: it takes a second.
"""

import pandas as pd
from scipy.stats import quantile_test

from cxrseg import paths, runs

RUNS = ("best", "everyone")
"""Of which the book speaks of this percentile."""
SHARE, CONFIDENCE = 0.05, 0.95


def percentile(scores: pd.Series) -> dict:
    """Return the 5th percentile of some scores and its interval; at least 72 scores, or that has no lower end."""
    low, high = quantile_test(scores, p=SHARE).confidence_interval(CONFIDENCE)
    return {"n": len(scores), "p5": float(scores.quantile(SHARE)), "ci95": [float(low), float(high)]}


def main() -> None:
    """Write ``book/published/percentile.json``."""
    content = {"command": "python benchmarks/percentile.py", "runs": {}, "provenance": runs.provenance()}
    for name in RUNS:
        rows = pd.read_csv(paths.published() / f"{name}.csv")
        content["runs"][name] = percentile(rows.loc[rows["structure"] == "lungs", "dice"])
        print(name, content["runs"][name])
    runs.write_summary(paths.published() / "percentile.json", content)


if __name__ == "__main__":
    main()
