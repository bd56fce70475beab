"""Measure images per second of preparation, against a plain loop and the limit of decoding, and phantoms per second.

A folder of radiographs with masks, as PNG of 512 x 512 pixels, is processed by turns in three ways:
`cxrseg.data.prepare` with one process per core, the same work in a single process, and decoding alone on one core. The
decoding rate times the number of cores is an upper limit for any preparation. All cores then generate phantoms of
256 x 256 pixels, alone and during the training of the paper's network.
"""

import tempfile
import threading
from pathlib import Path

import joblib
import numpy as np
from contenders import contender
from PIL import Image
from rounds import alternate, ratio, seconds, spread

from cxrseg.config import DataConfig
from cxrseg.data.prepare import prepare
from cxrseg.parallel import starmap
from cxrseg.phantom import LABELS, phantom
from cxrseg.publish.experiments import Experiment

SIDE, SEED = 512, 2023


def measure(experiment: Experiment) -> dict:
    """Return the images per second of each way to prepare, and the phantoms per second."""
    rounds, cases, phantoms = (experiment.options[key] for key in ("rounds", "cases", "phantoms"))
    cores = joblib.cpu_count()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        list(starmap(picture, ((folder / "pictures", n) for n in range(cases))))
        config = DataConfig(source="folder", path=str(folder / "pictures"))
        contenders = {
            "cxrseg": lambda: cases / seconds(prepare, config, folder / "data"),
            "plain_loop": lambda: cases / seconds(prepare, config, folder / "data", 1),
            "decoder_limit": lambda: cores * cases / seconds(decode, folder / "pictures"),
        }
        speed = alternate(contenders, rounds)
    streams = alternate(
        {
            "alone": lambda: phantoms / seconds(stream, phantoms),
            "with_training": lambda: phantoms / beside_training(phantoms),
        },
        rounds,
    )
    return {
        "cases": cases,
        "stored_size": SIDE,
        "image_size": config.image_size,
        "cores": cores,
        "rounds": rounds,
        "images_per_second": {name: spread(values) for name, values in speed.items()},
        "cxrseg_over": {name: ratio(speed["cxrseg"], values) for name, values in speed.items() if name != "cxrseg"},
        "phantoms_per_second": {name: spread(values) for name, values in streams.items()},
    }


def picture(folder: Path, number: int) -> None:
    """Write one phantom and its lung mask as PNG."""
    label = LABELS[number % len(LABELS)]
    made = phantom(SEED, number, label, SIDE)
    for kind, pixels in (("images", made.image), ("masks", made.lungs.astype(np.uint8) * 255)):
        place = folder / label / kind
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{number:04d}.png")


def decode(folder: Path) -> None:
    """Decode all files of a folder on one core."""
    for file in folder.rglob("*.png"):
        np.asarray(Image.open(file))


def stream(count: int) -> None:
    """Make phantoms on all cores, and keep none."""
    for _ in starmap(phantom, ((SEED, n, LABELS[n % len(LABELS)], 256) for n in range(count))):
        pass


def beside_training(phantoms: int) -> float:
    """Make phantoms while the paper's network is trained, and return the seconds."""
    stop = threading.Event()
    with contender("ceiling") as train:
        train()  # wait until the network is built and compiled

        def trainer():
            while not stop.is_set():
                train()

        thread = threading.Thread(target=trainer)
        thread.start()
        spent = seconds(stream, phantoms)
        stop.set()
        thread.join()
    return spent
