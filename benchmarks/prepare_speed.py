"""Measure images per second of preparation, against a plain loop and the limit of decoding, and phantoms per second.

    python benchmarks/prepare_speed.py

A folder of 1,200 radiographs with masks, as PNG of 512 x 512 pixels, is processed by turns in three ways:
`cxrseg.data.prepare` with one process per core, the same work in a single process, and decoding alone on one core. The
decoding rate times the number of cores is an upper limit for any preparation. All cores then generate phantoms of
256 x 256 pixels, alone and during the training of the paper's network. The script writes
``book/published/prepare_speed.json``. A trial run with numbers of cases and rounds as arguments writes nothing.
"""

import json
import sys
import tempfile
import threading
import time
from pathlib import Path

import joblib
import numpy as np
from PIL import Image
from rounds import alternate, ratio, spread

from cxrseg import paths, provenance
from cxrseg.config import DataConfig
from cxrseg.data.prepare import prepare
from cxrseg.files import write_json
from cxrseg.parallel import starmap
from cxrseg.phantom import phantom

CASES, SIDE, PHANTOMS, ROUNDS, SEED = 1200, 512, 200, 7, 2023
LABELS = ("Normal", "COVID", "Non-COVID")


def main() -> None:
    given = [int(n) for n in sys.argv[1:]]
    cases, rounds = given or (CASES, ROUNDS)
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
        {"alone": lambda: PHANTOMS / seconds(stream, PHANTOMS), "with_training": beside_training}, rounds
    )
    content = {
        "command": "python benchmarks/prepare_speed.py",
        "cases": cases,
        "stored_size": SIDE,
        "image_size": config.image_size,
        "cores": cores,
        "rounds": rounds,
        "images_per_second": {name: spread(values) for name, values in speed.items()},
        "cxrseg_over": {name: ratio(speed["cxrseg"], values) for name, values in speed.items() if name != "cxrseg"},
        "phantoms_per_second": {name: spread(values) for name, values in streams.items()},
        "provenance": provenance.record(),
    }
    print(
        json.dumps({key: content[key] for key in ("images_per_second", "cxrseg_over", "phantoms_per_second")}, indent=1)
    )
    if not given:
        write_json(paths.published() / "prepare_speed.json", content)


def picture(folder: Path, number: int) -> None:
    """Write one phantom and its lung mask as PNG."""
    label = LABELS[number % len(LABELS)]
    made = phantom(SEED, number, label, SIDE)
    for kind, pixels in (("images", made.image), ("masks", made.lungs.astype(np.uint8) * 255)):
        place = folder / label / kind
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{number:04d}.png")


def decode(folder: Path) -> None:
    for file in folder.rglob("*.png"):
        np.asarray(Image.open(file))


def stream(count: int) -> None:
    for _ in starmap(phantom, ((SEED, n, LABELS[n % len(LABELS)], 256) for n in range(count))):
        pass


def beside_training() -> float:
    """Generate phantoms while the paper's network is trained, and return phantoms per second."""
    import train_speed

    child = train_speed.start(sys.executable, "ceiling", 8, "")
    train_speed.ask(child)  # wait until the network is built and compiled
    stop = threading.Event()

    def train():
        while not stop.is_set():
            train_speed.ask(child)

    trainer = threading.Thread(target=train)
    trainer.start()
    rate = PHANTOMS / seconds(stream, PHANTOMS)
    stop.set()
    trainer.join()
    child.stdin.close()
    child.wait()
    return rate


def seconds(function, *arguments) -> float:
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
