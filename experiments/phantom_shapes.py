"""Compare the lung shapes of realistic phantoms with those of real masks by summary statistics.

    python experiments/phantom_shapes.py --data ../shared/data/covid-qu-ex-1500.zip --out FILE.json

The real masks are the 300 of COVID-QU-Ex on which decisions may be based (`zero_shot.decision_cases`). For each
measure of `lung_shape` the file contains percentiles of both groups, the share of real values within the central
98% of the phantoms (target: at least 0.90), and counts in a common histogram.
"""

import argparse
from pathlib import Path

import numpy as np
from lung_shape import LungShape, lung_shape
from zero_shot import decision_cases

from cxrseg import provenance
from cxrseg.config import DataConfig
from cxrseg.data.sources import covid_qu_ex
from cxrseg.files import write_json
from cxrseg.phantom import LABELS, phantom

MADE, SEED = 500, 2023
PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


def real_shapes(path: str) -> np.ndarray:
    """Return the (300, measures) shapes of the real masks on which decisions may be based."""
    cases = covid_qu_ex.cases(DataConfig(source="covid_qu_ex", path=path))
    chosen = decision_cases(case.case_id for case in cases)
    return np.array([lung_shape(case.masks["lungs"]()) for case in cases if case.case_id in chosen])


def made_shapes() -> np.ndarray:
    """Return the (500, measures) shapes of realistic phantoms with alternating classes."""
    return np.array([lung_shape(phantom(SEED, k, LABELS[k % len(LABELS)]).lungs) for k in range(MADE)])


def compare(real: np.ndarray, made: np.ndarray) -> dict:
    """Return percentiles, coverage and histograms for each measure."""
    result = {}
    for column, measure in enumerate(LungShape._fields):
        a, b = real[:, column], made[:, column]
        low, high = np.percentile(b, [1, 99])
        edges = np.linspace(min(a.min(), b.min()), max(a.max(), b.max()), 31)
        result[measure.replace("_", " ")] = {
            "covered": round(float(np.mean((a >= low) & (a <= high))), 4),
            "percentiles": list(PERCENTILES),
            "real": np.percentile(a, PERCENTILES).round(4).tolist(),
            "made": np.percentile(b, PERCENTILES).round(4).tolist(),
            "histogram": {
                "edges": edges.round(4).tolist(),
                "real": np.histogram(a, edges)[0].tolist(),
                "made": np.histogram(b, edges)[0].tolist(),
            },
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="../shared/data/covid-qu-ex-1500.zip", help="COVID-QU-Ex, ZIP or folder")
    parser.add_argument("--out", type=Path, help="JSON file for the summary numbers")
    options = parser.parse_args()
    if not Path(options.data).exists():
        parser.error(f"{options.data}: no such file; --data names the ZIP or folder of COVID-QU-Ex")
    measures = compare(real_shapes(options.data), made_shapes())
    print(f"{'':17}{'covered':>8}   median real/made   central 98% of phantoms")
    for name, row in measures.items():
        real, made = row["real"], row["made"]
        print(f"{name:17}{row['covered']:8.3f}   {real[3]:.3f} / {made[3]:.3f}      {made[0]:.3f} to {made[-1]:.3f}")
    if options.out:
        content = {
            "command": "python experiments/phantom_shapes.py --data covid-qu-ex-1500.zip"
            " --out book/published/phantom-shapes.json",
            "n_real": len(real), "n_made": MADE, "seed": SEED, "measures": measures, "provenance": provenance.record(),
        }  # fmt: skip
        write_json(options.out, content)


if __name__ == "__main__":
    main()
