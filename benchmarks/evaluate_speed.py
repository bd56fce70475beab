"""Time the scoring of 1,000 cases after prediction, which includes everything that notebook 03 shows.

    python benchmarks/evaluate_speed.py

The cases are 60 phantoms at 256x256, each repeated with different blurred and shifted predictions, so that no
two predictions are equal. All cores available to the process are used (two: ``taskset -c 0,1 python …``), and the
start of the workers is included. The processor time is reported too, because it depends less on other load.
The script writes ``book/published/evaluate_speed.json``.
"""

import json
import resource
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from joblib.externals.loky import get_reusable_executor
from scipy.ndimage import gaussian_filter, shift

from cxrseg import paths, provenance
from cxrseg.config import DataConfig, EvaluateConfig
from cxrseg.data.dataset import Dataset
from cxrseg.data.prepare import prepare
from cxrseg.evaluate.pooled import measure
from cxrseg.files import write_json

CASES, PHANTOMS, SIDE, FOLDS, SEED = 1000, 60, 256, 5, 2023


def made(folder: Path) -> None:
    """Write a dataset of 1,000 cases and a prediction for each."""
    classes = dict.fromkeys(("COVID", "Non-COVID", "Normal"), PHANTOMS // 3)
    prepare(DataConfig(cases_per_class=classes, image_size=SIDE), folder / "few")
    dataset = Dataset.load(folder / "few")
    images, masks, cases = dataset.images, dataset.masks, dataset.cases
    chosen = np.arange(CASES) % len(cases)
    table = cases.iloc[chosen].reset_index(drop=True)
    table["case_id"] = [f"{name}-{n}" for n, name in enumerate(table["case_id"])]
    table["fold"] = np.sort(np.arange(CASES) % FOLDS)
    (folder / "data").mkdir()
    np.save(folder / "data" / "images.npy", images[chosen])
    np.save(folder / "data" / "masks.npy", masks[chosen])
    table.to_csv(folder / "data" / "cases.csv", index=False)
    (folder / "data" / "dataset.json").write_text(json.dumps(dataset.record))
    rng = np.random.default_rng(SEED)
    levels = np.empty((CASES, SIDE, SIDE, 1), np.uint8)
    for n, k in enumerate(chosen):
        soft = gaussian_filter(shift(masks[k, ..., 0].astype(float), rng.normal(0, 2, 2), order=0), rng.uniform(0.5, 3))
        levels[n, ..., 0] = np.round(255 * np.clip(soft, 0, 1))
    np.save(folder / "predictions.npy", levels)


def processor_seconds() -> float:
    """Return the processor time of this process and of its finished child processes."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made(folder)
        get_reusable_executor().shutdown()
        start, spent = time.perf_counter(), processor_seconds()
        rows, scores = measure(EvaluateConfig(), Dataset.load(folder / "data"), list(range(FOLDS)), folder)
        seconds = time.perf_counter() - start
        get_reusable_executor().shutdown()  # the time of a worker is known only after it ends
        spent = processor_seconds() - spent
        assert len(rows) == CASES and len(pd.read_csv(folder / "quality.csv")) == CASES
    content = {
        "command": "python benchmarks/evaluate_speed.py",
        "cases": CASES,
        "image_size": SIDE,
        "seconds": seconds,
        "processor_seconds": spent,
        "cores": joblib.cpu_count(),
        "resamples": EvaluateConfig().resamples,
        "provenance": provenance.record(),
    }
    write_json(paths.published() / "evaluate_speed.json", content)
    print(f"{CASES} cases, mean Dice {scores['dice']['mean']:.3f}: {seconds:.1f} s on {joblib.cpu_count()} cores,")
    print(f"{spent:.1f} s of processor time")


if __name__ == "__main__":
    main()
