"""Ablation of domain randomisation: set one group of phantom parts back to realistic at a time.

For each group of parts and each seed, a small network is trained on phantoms whose other groups are randomised. It is
scored on the real radiographs that steered nothing, and compared with the network of the same seed, which sets initial
weights and order, that was trained with all groups randomised. One interval covers the choice of cases (bootstrap over
cases, of the mean over trainings), and one the choice of training (Student's t interval over the few trainings).
"""

import hashlib
import json

import keras
import numpy as np
from scipy.stats import t as student

from cxrseg import provenance
from cxrseg.config import TrainConfig
from cxrseg.evaluate import metrics, stats
from cxrseg.evaluate.masks import to_masks
from cxrseg.evaluate.pooled import BATCH
from cxrseg.evaluate.predict import Network, predict
from cxrseg.files import write_whole
from cxrseg.parallel import starmap
from cxrseg.phantom import stream
from cxrseg.phantom.parameters import SETTINGS, varied
from cxrseg.publish import results
from cxrseg.publish.experiments import Experiment
from cxrseg.publish.tables import divided
from cxrseg.train.batches import Batches, train_epoch
from cxrseg.train.compile import compile_network

WHOLE = "everything randomised"


def measure(experiment: Experiment) -> dict:
    """Return how the mean Dice changes without each group, and the mean Dice with all of them."""
    options, (_, others) = experiment.options, divided(experiment, "development")
    images, truths = np.stack([case.image() for case in others]), [case.masks["lungs"]() for case in others]
    # The scores of each network are kept, so that an interrupted experiment goes on with the next one.
    rooms = provenance.rooms_fingerprint("data", "evaluate", "phantom", "train")
    key = hashlib.sha256(json.dumps([rooms, options, [case.case_id for case in others]]).encode()).hexdigest()
    kept = results.made(experiment.name).with_suffix("") / key
    kept.mkdir(parents=True, exist_ok=True)
    dice = {}
    for group, parts in {WHOLE: [], **options["groups"]}.items():
        files = {seed: kept / f"{group} {seed}.npy" for seed in options["seeds"]}
        for seed, file in files.items():
            if not file.is_file():
                network = trained(TrainConfig(seed=seed, **options["train"]), group, parts, options["phantoms"])
                levels = [predict(network, images[k : k + BATCH]) for k in range(0, len(images), BATCH)]
                found = (to_masks(one, 0.5, options["pieces"])[..., 0] for one in np.concatenate(levels))
                scores = [metrics.overlap(*pair)["dice"] for pair in zip(truths, found, strict=True)]
                write_whole(file, lambda path, scores=scores: np.save(path, scores))
        dice[group] = np.array([np.load(file) for file in files.values()])
    return {
        "n_cases": len(others),
        "phantoms": options["phantoms"],
        "seeds": options["seeds"],
        "network": TrainConfig(**options["train"]).model_dump(),
        "everything": {"mean": float(dice[WHOLE].mean()), "seeds": dice[WHOLE].mean(axis=1).tolist()},
        "left_out": {group: change(dice[group] - dice[WHOLE]) for group in options["groups"]},
    }


def trained(config: TrainConfig, group: str, parts: list[str], n: int) -> Network:
    """Return a network that has learnt from n phantoms, some parts of which are realistic."""
    realistic = SETTINGS["realistic"].table
    setting = varied("randomised", {part: realistic[part] for part in parts}, group)
    tasks = ((config.seed, start, min(25, n - start), config.input_size, setting) for start in range(0, n, 25))
    pixels, masks = map(np.concatenate, zip(*starmap(stream, tasks), strict=True))
    model = compile_network(config, 1, config.precision, n // config.batch_size)
    for epoch in range(config.epochs):
        train_epoch(model, Batches(pixels, masks.astype(np.uint8)[..., None], np.arange(n), config, epoch))
    return Network(config.input_size, lambda x: keras.ops.convert_to_numpy(model.predict_on_batch(x)), ["lungs"])


def change(differences: np.ndarray) -> dict:
    """Summarise the (trainings, cases) differences of the Dice from that with everything randomised."""
    means = differences.mean(axis=1)
    half = student.ppf(0.975, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means))
    return {
        "mean": float(means.mean()),
        "ci95_cases": list(stats.interval(differences.mean(axis=0))),
        "ci95_trainings": [float(means.mean() - half), float(means.mean() + half)],
        "trainings": means.tolist(),
    }
