"""Count how often the default model warns of good and of bad outlines, as "Try it" and `cxrseg segment` do."""

from concurrent.futures import ThreadPoolExecutor

import pandas as pd

from cxrseg import load_model
from cxrseg.data.prepare import read
from cxrseg.evaluate.metrics import overlap
from cxrseg.publish.experiments import Experiment
from cxrseg.publish.tables import divided
from cxrseg.segment import checks

REASONS = ["turned", "low", "shape", "warned"]


def measure(experiment: Experiment) -> dict:
    """Return the share of the radiographs that steered nothing with a warning, by the Dice of their lungs."""
    model = load_model()

    def row(case) -> dict:
        image, (truth,), _ = read(case, ["lungs"])
        found = model.segment(image)
        turned, shape = found.warning.startswith("looks "), "frontal chest X-ray" in found.warning
        reasons = (turned, found.predicted_dice < checks.LOW, shape, bool(found.warning))
        return {"dice": overlap(truth, found.mask)["dice"], **dict(zip(REASONS, reasons, strict=True))}

    with ThreadPoolExecutor() as pool:  # onnxruntime releases the interpreter lock
        rows = pd.DataFrame(list(pool.map(row, divided(experiment, "development")[1])))

    def rates(low: float, high: float) -> dict:
        part = rows[rows["dice"].between(low, high, "left")]
        return {"n": len(part), **part[REASONS].mean().to_dict()}

    bands = {name: rates(*limits) for name, limits in experiment.options["bands"].items()}
    groups = {"failures": rates(0, 0.8), "good": rates(0.9, 1.01), "all": rates(0, 1.01)}
    below = float((rows.loc[rows["warned"], "dice"] < 0.9).mean())
    return {"n": len(rows), "bands": bands, **groups, "warned_below_090": below}
