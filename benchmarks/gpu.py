"""Measure on one machine with a graphics card how fast the study is there, and what it waits for.

``sh benchmarks/gpu.sh run`` starts it, also on a machine without network. It needs JAX; PyTorch is compared with where
it is installed; TensorFlow, Snakemake and Jupyter are not needed. The data are phantoms, which take seconds to draw, or
those of ``--data``, made by ``--draw``. In order: training by batch and precision, one fold of the paper's recipe, the
study ``best`` and the recipe of the default model, inference. The result is written after each measurement, so that
what ends this early leaves what was measured. A step that fails leaves its error in the file, and the next one goes on.
When the minutes are up, it stops. ``--rehearse`` runs every line in small, on a processor.
"""

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
# PyTorch has a process of its own on the same card, so JAX may not take all of its memory.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
sys.path.insert(0, str(Path(__file__).parents[1]))  # this tree need not be installed

import cxrseg  # isort: skip  # noqa: F401  before Keras
import gpu_speed as speed
import keras

from cxrseg import paths, provenance
from cxrseg.config import DataConfig, TrainConfig
from cxrseg.data.dataset import exists
from cxrseg.data.prepare import prepare
from cxrseg.files import write_json
from cxrseg.studies import read_study
from cxrseg.train.epochs import Epochs
from cxrseg.train.fold import train

CASES = {"COVID": 207, "Non-COVID": 53, "Normal": 32}
"""Phantoms, as many as the paper's set and the studies ``quex`` and ``best`` have radiographs."""

UNTIL = {"data": 0.1, "training": 0.62, "paper": 0.78, "recipes": 0.93, "inference": 1.0}
"""The share of the whole time after which each step has to be over; what a step leaves over, the next ones have."""

PLAN = [
    *(("bfloat16", batch) for batch in (32, 8, 128)),
    ("tf32", 32), ("float32", 32), ("tf32", 8), ("tf32", 128), ("float32", 8), ("float32", 128),
]  # fmt: skip
"""Precisions and batches in training, the most telling ones first: time may not suffice for all."""

SMALL = speed.Size(side=32, width=2, depth=2, seconds=0.05, rounds=1, matrix=64)
"""The sizes of a rehearsal."""


class TimeIsUp(BaseException):
    """The time of a step has run out. No ``except Exception`` on the way may catch it."""


class Result:
    """The file that is written after each measurement, with the ratios first."""

    def __init__(self, file: Path, minutes: float, about: dict):
        self.file, self.content, self.lock = file, {"about": about}, threading.Lock()
        self.began, self.seconds = time.monotonic(), 60 * minutes

    def left(self, step: str) -> float:
        """Return the seconds that a step still has."""
        return self.began + UNTIL[step] * self.seconds - time.monotonic()

    def put(self, value, *keys: str) -> None:
        """Store a value under a path of keys, and write the file."""
        with self.lock:
            place = self.content
            for key in keys[:-1]:
                place = place.setdefault(key, {})
            place[keys[-1]] = value
            self.content["about"]["seconds"] = time.monotonic() - self.began
            try:
                write_json(self.file, {"ratios": ratios(self.content), **self.content})
            except ValueError as error:  # a number that is none must not take the others with it
                place[keys[-1]] = f"failed: {error}"
                write_json(self.file, {"ratios": ratios(self.content), **self.content})

    def measure(self, work: Callable, step: str, *keys: str) -> None:
        """Store what a call returns, or why it did not: it failed, or the step's time was up before or during it."""
        print(f"{' '.join((step, *keys))}: {self.left(step):.0f} s left for the step", flush=True)

        def stop(*_):
            raise TimeIsUp

        before = signal.signal(signal.SIGALRM, stop)
        try:
            if self.left(step) <= 0:
                raise TimeIsUp
            signal.setitimer(signal.ITIMER_REAL, self.left(step))
            found = work()
        except TimeIsUp:
            found = "not measured: the time of this step was up"
        except Exception as error:
            found = f"failed: {type(error).__name__}: {error}"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        self.put(found, step, *keys)

    def stop_at_the_end(self) -> None:
        """End the process when all time is up, wherever it is: a compilation cannot be interrupted otherwise."""

        def end():
            self.put("stopped where it was: all time was up", "ended")
            os._exit(0)

        timer = threading.Timer(self.seconds + 5, end)
        timer.daemon = True
        timer.start()


def ratios(content: dict) -> dict:
    """Return what one wants to know first of what was measured so far."""
    over: dict[str, dict] = {}
    rates = content.get("data", {}).get("matrix_operations_per_second")
    for cell, row in content.get("training", {}).items():
        found = row.get("cxrseg")
        if isinstance(found, dict):
            ours = found["images_per_second"]["end_to_end"]["median"]
            for name, one in found["end_to_end_over"].items():
                over.setdefault(f"end_to_end_over_{name}", {})[cell] = one["median"]
            if isinstance(rates, dict):
                share = ours * content["about"]["operations_per_image"] / rates[cell.split("_")[0]]
                over.setdefault("end_to_end_share_of_matrix_rate", {})[cell] = share
            for name in ("compiled", "eager"):
                if isinstance(row.get("torch"), dict) and name in row["torch"]:
                    over.setdefault(f"end_to_end_over_torch_{name}", {})[cell] = ours / row["torch"][name]
    folds = {"paper": content.get("paper", {}).get("fold"), **content.get("recipes", {})}
    for name, row in folds.items():
        if isinstance(row, dict) and "seconds_after_compilation" in row:
            over.setdefault("fold_seconds_after_compilation", {})[name] = row["seconds_after_compilation"]
            for share in ("waits_for_data_share", "averages_weights_share"):
                over.setdefault(f"fold_{share}", {})[name] = row[share]
    return over


def draw(config: DataConfig, folder: Path) -> dict:
    """Draw phantoms on all cores into a folder, unless it has them, and return how many a second there were."""
    if exists(folder):
        return {"folder": "was prepared before"}
    prepare(config.model_copy(update={"cases_per_class": {"Normal": 40}}), folder)  # starts the processes: not timed
    took = speed.seconds(prepare, config, folder)
    cases = sum(config.cases_per_class.values())
    return {"phantoms": cases, "seconds": took, "phantoms_per_second": cases / took, "image_size": config.image_size}


def fold(config: TrainConfig, data: Path, folder: Path) -> dict:
    """Train the first fold, as notebook 02 does for `cxrseg run`, and return what it took and waited for."""
    compiled, began = speed.Compilations(), time.monotonic()
    with speed.waits() as waited, speed.spent_in(Epochs, "step") as averaging:
        record = train(config, data, folder)
    took = time.monotonic() - began
    return {
        "seconds": took,
        "seconds_after_compilation": took - compiled.seconds(),
        "steps_compiled": compiled.steps(),
        "waits_for_data_share": sum(waited) / record["seconds"],
        "averages_weights_share": sum(averaging) / record["seconds"],
        **{key: record[key] for key in ("epochs", "n_training", "precision", "images_per_second", "validation_dice")},
    }


def run(result: Result, data: Path, work: Path, rehearsal: bool) -> None:
    """Measure everything in its order; a rehearsal takes small networks, few phantoms and one epoch."""
    size, few = (SMALL, 15) if rehearsal else (speed.Size(), 0)
    paper, best, phantom = (read_study(paths.study_file(name)) for name in ("paper", "best", "phantom"))
    paper_config, best_config, default_config = paper.train, best.train, phantom.train
    if rehearsal:
        small = {"input_size": size.side, "base_filters": size.width, "depth": size.depth, "epochs": 1}
        paper_config, default_config = (one.model_copy(update=small) for one in (paper_config, default_config))
        best_config = best_config.model_copy(update={"input_size": size.side, "epochs": 1})  # it starts from weights

    cases = dict.fromkeys(CASES, few) if few else CASES
    own = DataConfig(cases_per_class=cases, image_size=size.side)
    result.measure(lambda: draw(own, data), "data", "phantoms")
    result.measure(lambda: speed.matrix_rates(size), "data", "matrix_operations_per_second")

    for precision, batch in [(name, 4) for name in speed.PRECISIONS] if rehearsal else PLAN:
        cell = f"{precision}_{batch}"
        result.measure(lambda p=precision, b=batch: speed.training(p, b, data, size), "training", cell, "cxrseg")
        torch = partial(speed.pytorch, precision, batch, size, result.left("training"))
        result.measure(torch, "training", cell, "torch")

    result.measure(lambda: fold(paper_config, data, work / "paper"), "paper", "fold")

    result.measure(lambda: fold(best_config, data, work / "best"), "recipes", "best")
    many = phantom.data.model_copy(
        update={"cases_per_class": dict.fromkeys(CASES, few or 1000), "image_size": default_config.input_size}
    )
    result.measure(lambda: draw(many, work / "default-data"), "recipes", "default_phantoms")
    result.measure(lambda: fold(default_config, work / "default-data", work / "default"), "recipes", "default")

    for precision in speed.PRECISIONS:
        for batch in (1, 4) if rehearsal else (1, 32, 128):
            measured = partial(speed.inference, partial(speed.network, precision, size), precision, batch, size)
            result.measure(measured, "inference", "paper", f"{precision}_{batch}")
    for batch in (1, 4) if rehearsal else (1, 32, 128):
        measured = partial(speed.inference, speed.shipped, "float32", batch, size)
        result.measure(measured, "inference", "default", f"float32_{batch}")


def main() -> None:
    """Read the arguments, measure, and say where the result is."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=8, help="when to stop")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"), help="file of the result")
    parser.add_argument("--data", type=Path, help="folder of the prepared phantoms; they are drawn if it has none")
    parser.add_argument("--draw", action="store_true", help="only draw the phantoms of --data")
    parser.add_argument("--rehearse", action="store_true", help="every line, in small")
    given = parser.parse_args()
    if given.draw:
        if not given.data:
            parser.error("--draw needs the folder --data")
        print(draw(DataConfig(cases_per_class=CASES), given.data))
        return
    about = {
        "name": "gpu",
        "title": "The speed on a graphics card",
        "command": f"python benchmarks/gpu.py {' '.join(sys.argv[1:])}",
        "rehearsal": given.rehearse,
        "minutes": given.minutes,
        "backend": keras.backend.backend(),
        "operations_per_image": speed.train_operations(SMALL if given.rehearse else speed.Size()),
        "folds": "trained by cxrseg.train.fold.train, as `cxrseg run` does it, without Snakemake and notebooks",
        **provenance.record(),
    }
    result = Result(given.out, given.minutes, about)
    result.stop_at_the_end()
    with tempfile.TemporaryDirectory() as folder:
        run(result, given.data or Path(folder) / "data", Path(folder), given.rehearse)
        result.put("every step was come to", "ended")
    print(f"{given.out}: {result.content['about']['seconds']:.0f} s", flush=True)


if __name__ == "__main__":
    main()
