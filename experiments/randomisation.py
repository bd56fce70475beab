"""Ablation of domain randomisation: set one group of phantom parts back to realistic at a time.

For each group of parts and each seed, a small network is trained on phantoms whose other groups are randomised. It
segments the real radiographs on which no decision was based (all except `zero_shot.decision_cases`). It is compared
with the network of the same seed, which sets initial weights and order, that was trained with all groups randomised.
The phantoms are drawn anew. One interval covers the choice of cases (bootstrap over cases, of the mean over trainings),
and one the choice of training (Student's t interval over the few trainings). All groups are compared with the same
networks.
"""

import argparse
import json
import os
from pathlib import Path

import joblib
import keras
import numpy as np
from scipy.stats import t as student
from zero_shot import decision_cases

from cxrseg import paths, provenance
from cxrseg.config import DataConfig, TrainConfig
from cxrseg.data.sources import covid_qu_ex
from cxrseg.evaluate import metrics, stats
from cxrseg.evaluate.masks import to_masks
from cxrseg.evaluate.pooled import BATCH
from cxrseg.evaluate.predict import Network, predict
from cxrseg.files import write_json
from cxrseg.phantom import stream
from cxrseg.phantom.parameters import SETTINGS, varied
from cxrseg.train.batches import Batches, train_epoch
from cxrseg.train.compile import compile_network

GROUPS = {
    "pose and shape": ["pose", "lungs", "side"],
    "air in the lungs": ["air", "veils"],
    "disease": ["disease COVID", "disease Non-COVID"],
    "soft tissue around the lungs": ["trunk", "fat", "breasts", "head"],
    "abdomen": ["abdomen"],
    "mediastinum, airways, vessels": ["mediastinum", "airways"],
    "bones": ["ribs", "spine", "clavicle", "scapula", "humerus"],
    "exposure and display": ["acquisition"],
    "wires, text, tubes": ["overlays"],
}
"""Parts of `cxrseg.phantom.parameters` that are set back to realistic together, by group name."""

SIZE, PIECES = 96, 2
PHANTOMS, SEEDS = 12_000, [1, 2, 3]
NETWORK = TrainConfig(
    input_size=SIZE, base_filters=10, growth=1.6, depth=4, stride=2, batch_norm=True,
    loss="cross_entropy_dice", learning_rate=0.003, schedule="cosine", batch_size=16, epochs=1,
)  # fmt: skip
"""Smaller than the default network, and with smaller images, because thirty networks are trained."""


def batch(group: str, seed: int, start: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Generate part of a series of phantoms with one group realistic, in a worker process."""
    realistic = SETTINGS["realistic"].table
    setting = varied("randomised", {part: realistic[part] for part in GROUPS.get(group, [])}, group)
    return stream(seed, start, n, SIZE, setting)


def scores(group: str, seed: int, n: int, images: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Train a network on n such phantoms and return its Dice for each real radiograph."""
    made = joblib.Parallel(os.cpu_count())(joblib.delayed(batch)(group, seed, k, 100) for k in range(0, n, 100))
    pixels, masks = np.concatenate([x for x, _ in made]), np.concatenate([y for _, y in made])
    config = NETWORK.model_copy(update={"seed": seed})
    model = compile_network(config, 1, "mixed_bfloat16", n // config.batch_size)
    batches = Batches(pixels, masks.astype(np.uint8)[..., None], np.arange(n), config, epoch=0)
    train_epoch(model, batches)
    network = Network(SIZE, lambda inputs: keras.ops.convert_to_numpy(model.predict_on_batch(inputs)), ["lungs"])
    levels = np.concatenate([predict(network, images[k : k + BATCH]) for k in range(0, len(images), BATCH)])
    found = [to_masks(answer, 0.5, PIECES)[..., 0] for answer in levels]
    return np.array([metrics.overlap(t, p)["dice"] for t, p in zip(truths, found, strict=True)])


def over_trainings(means: np.ndarray) -> list[float]:
    """Return Student's t 95% confidence interval of the mean over a few trainings."""
    half = student.ppf(0.975, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means))
    return [float(means.mean() - half), float(means.mean() + half)]


def main() -> None:
    """Train all networks, print one line for each, and write the differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="../shared/data/covid-qu-ex-1500.zip", help="COVID-QU-Ex, ZIP or folder")
    parser.add_argument("--phantoms", type=int, default=PHANTOMS)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    cases = covid_qu_ex.cases(DataConfig(source="covid_qu_ex", path=options.data))
    decided = decision_cases(case.case_id for case in cases)
    cases = [case for case in cases if case.case_id not in decided]
    images = np.stack([case.image() for case in cases])
    truths = [case.masks["lungs"]() for case in cases]
    # Each result is appended as one line, so that it survives an interruption.
    done_file = paths.runs() / "randomisation.jsonl"
    done_file.parent.mkdir(exist_ok=True)
    key = [options.phantoms, provenance.code_fingerprint()]
    done = {}
    if done_file.is_file():
        lines = [json.loads(line) for line in done_file.read_text().splitlines()]
        done = {(line["group"], line["seed"]): np.array(line["dice"]) for line in lines if line["key"] == key}
    for seed in options.seeds:
        for group in ["everything randomised", *GROUPS]:
            if (group, seed) not in done:
                dice = scores(group, seed, options.phantoms, images, truths)
                done[group, seed] = dice
                with open(done_file, "a") as file:
                    line = {"key": key, "group": group, "seed": seed, "dice": dice.round(5).tolist()}
                    file.write(json.dumps(line) + "\n")
            change = done[group, seed].mean() - done["everything randomised", seed].mean()
            print(f"seed {seed}  {group:32s} {done[group, seed].mean():.4f}  {change:+.4f}", flush=True)
    whole = {seed: done["everything randomised", seed] for seed in options.seeds}
    rows = {}
    for group in GROUPS:
        by_seed = np.array([done[group, seed] - whole[seed] for seed in options.seeds])
        rows[group] = {
            "mean": float(by_seed.mean()),
            "ci95_cases": list(stats.interval(by_seed.mean(0))),
            "ci95_trainings": over_trainings(by_seed.mean(1)),
            "trainings": by_seed.mean(1).round(5).tolist(),
        }
    if options.out:
        content = {
            "command": " ".join([
                "python experiments/randomisation.py --data", Path(options.data).name, "--out", str(options.out),
                *(["--phantoms", str(options.phantoms)] if options.phantoms != PHANTOMS else []),
                *(["--seeds", *map(str, options.seeds)] if options.seeds != SEEDS else []),
            ]),
            "n_cases": len(cases), "phantoms": options.phantoms, "seeds": options.seeds,
            "network": NETWORK.model_dump(), "provenance": provenance.record(),
            "everything": {
                "mean": float(np.mean(list(whole.values()))),
                "seeds": [float(dice.mean()) for dice in whole.values()],
            },
            "left_out": rows,
        }  # fmt: skip
        write_json(options.out, content)


if __name__ == "__main__":
    main()
