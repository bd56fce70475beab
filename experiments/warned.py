"""Measure how often the default model warns of good and of bad segmentations, as "Try it" and `cxrseg segment` do.

    python experiments/warned.py --data A.zip

The cases are the real radiographs on which no decision about the phantoms was based.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
from zero_shot import decision_cases, pairs

from cxrseg import load_model, paths, provenance
from cxrseg.data.cases import Case
from cxrseg.data.prepare import read
from cxrseg.evaluate.metrics import overlap
from cxrseg.files import write_json
from cxrseg.segment import checks
from cxrseg.segment.model import Model

BANDS = {"below 0.80": (0, 0.8), "0.80 to 0.90": (0.8, 0.9), "0.90 to 0.95": (0.9, 0.95), "0.95 and more": (0.95, 1.01)}
"""Lower (inclusive) and upper (exclusive) Dice of each band, by its label in the table."""


def measure(model: Model, case: Case) -> dict:
    """Return the Dice of the lungs of one case, and whether there is a warning, and for which reason."""
    image, (truth,), _ = read(case, ["lungs"])
    found = model.segment(image)
    low = found.predicted_dice < checks.LOW
    shape, turned = ("frontal chest X-ray" in found.warning), found.warning.startswith("looks ")
    reasons = {"turned": turned, "low": low, "shape": shape, "warned": bool(found.warning)}
    return {"dice": overlap(truth, found.mask)["dice"], **reasons}


def rates(rows: pd.DataFrame) -> dict:
    """Return the number of rows, and the share with a warning for each reason and for any reason."""
    return {"n": len(rows), **{reason: float(rows[reason].mean()) for reason in ("turned", "low", "shape", "warned")}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="the excerpt of COVID-QU-Ex, ZIP or folder")
    data = parser.parse_args().data
    cases = pairs(data)
    decided = decision_cases(case.case_id for case in cases)
    others, model = [case for case in cases if case.case_id not in decided], load_model()
    with ThreadPoolExecutor() as pool:  # onnxruntime releases the interpreter lock
        rows = pd.DataFrame(list(pool.map(measure, [model] * len(others), others)))
    warned = rows[rows["warned"]]
    content = {
        "command": f"python experiments/warned.py --data {Path(data).name}",
        "n": len(rows),
        "bands": {name: rates(rows[rows["dice"].between(*limits, "left")]) for name, limits in BANDS.items()},
        "failures": rates(rows[rows["dice"] < 0.8]),
        "good": rates(rows[rows["dice"] >= 0.9]),
        "all": rates(rows),
        "warned_below_090": float((warned["dice"] < 0.9).mean()),
        "provenance": provenance.record(),
    }
    write_json(paths.published() / "warned.json", content)
    print(content)


if __name__ == "__main__":
    main()
