"""Time the scoring of many cases after prediction, which includes everything that notebook 03 shows.

The cases are a few phantoms at 256x256, each repeated with different blurred and shifted predictions, so that no
two predictions are equal. All cores available to the process are used, and the start of the workers is included. The
processor time is reported too, because it depends less on other load.
"""

import json
import resource
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
from joblib.externals.loky import get_reusable_executor
from scipy.ndimage import gaussian_filter, shift

from cxrseg.config import DataConfig, EvaluateConfig
from cxrseg.data.dataset import Dataset
from cxrseg.data.prepare import prepare
from cxrseg.evaluate import pooled
from cxrseg.publish.experiments import Experiment

SIDE, FOLDS, SEED = 256, 5, 2023


def measure(experiment: Experiment) -> dict:
    """Return the seconds that the scoring of all cases takes, on the clock and of all processors."""
    cases, phantoms = experiment.options["cases"], experiment.options["phantoms"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, cases, phantoms)
        get_reusable_executor().shutdown()
        began, spent = time.perf_counter(), processor_seconds()
        pooled.measure(EvaluateConfig(), Dataset.load(folder / "data"), list(range(FOLDS)), folder)
        seconds = time.perf_counter() - began
        get_reusable_executor().shutdown()  # the time of a worker is known only after it ends
        spent = processor_seconds() - spent
    return {
        "cases": cases,
        "image_size": SIDE,
        "seconds": seconds,
        "processor_seconds": spent,
        "cores": joblib.cpu_count(),
        "resamples": EvaluateConfig().resamples,
    }


def make(folder: Path, cases: int, phantoms: int) -> None:
    """Write a dataset of some cases, made from fewer phantoms, and a prediction for each."""
    classes = dict.fromkeys(("COVID", "Non-COVID", "Normal"), phantoms // 3)
    prepare(DataConfig(cases_per_class=classes, image_size=SIDE), folder / "few")
    dataset = Dataset.load(folder / "few")
    images, masks = dataset.images, dataset.masks
    chosen = np.arange(cases) % len(dataset.cases)
    table = dataset.cases.iloc[chosen].reset_index(drop=True)
    table["case_id"] = [f"{name}-{n}" for n, name in enumerate(table["case_id"])]
    table["fold"] = np.sort(np.arange(cases) % FOLDS)
    (folder / "data").mkdir()
    np.save(folder / "data" / "images.npy", images[chosen])
    np.save(folder / "data" / "masks.npy", masks[chosen])
    table.to_csv(folder / "data" / "cases.csv", index=False)
    (folder / "data" / "dataset.json").write_text(json.dumps(dataset.record))
    rng = np.random.default_rng(SEED)
    levels = np.empty((cases, SIDE, SIDE, 1), np.uint8)
    for n, k in enumerate(chosen):
        soft = gaussian_filter(shift(masks[k, ..., 0].astype(float), rng.normal(0, 2, 2), order=0), rng.uniform(0.5, 3))
        levels[n, ..., 0] = np.round(255 * np.clip(soft, 0, 1))
    np.save(folder / "predictions.npy", levels)


def processor_seconds() -> float:
    """Return the processor time of this process and of its finished child processes."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)
