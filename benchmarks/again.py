"""Does its command make the default model? Hold another training of the study `phantom` against the shipped network.

    cxrseg run phantom --name again
    python benchmarks/again.py again

Writes ``book/published/again.json``.
"""

import json
import sys

import cxrseg  # isort: skip  # noqa: F401  before Keras: it tells TensorFlow how to compute
import keras
import numpy as np

from cxrseg import paths, runs


def main(run: str) -> None:
    """Compare weights and Dice, and say how many phantoms a second were made and learnt from."""
    shipped = json.loads(paths.model("default").with_suffix(".json").read_text())
    summary = runs.summary(run)
    record = json.loads((paths.fold(run, 0) / "train.json").read_text())
    if (summary["n_cases"], summary["provenance"]["seeds"]["train"]) != (shipped["scores"]["cases"], shipped["seed"]):
        sys.exit(f"run {run!r} is of another number of phantoms or another seed than the shipped network")
    if record["seconds"] == shipped["seconds"]:
        sys.exit(f"run {run!r} is the training that was shipped: do it again, under another name")
    ours, theirs = (
        keras.saving.load_model(file, compile=False).get_weights()
        for file in (paths.fold(run, 0) / "model.keras", paths.weights("default"))
    )
    seconds = summary["provenance"]["durations_s"]["data"]
    made = sum(record[f"n_{part}"] for part in ("training", "validation", "testing"))
    content = {
        "command": f"python benchmarks/again.py {run}",
        "cases": summary["n_cases"],
        # On another kind of processor single pixels may be rounded otherwise.
        "same_phantoms": record["fingerprint"] == shipped["dataset_fingerprint"],
        "dice": {"shipped": shipped["scores"]["dice"], "again": summary["dice"]["mean"]},
        "difference": summary["dice"]["mean"] - shipped["scores"]["dice"],
        "largest_difference_of_a_weight": float(max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True))),
        "phantoms": made,
        "seconds": {"making": seconds, "learning": record["seconds"]},
        # A phantom is made and learnt from, one after the other.
        "phantoms_per_second": 1 / (seconds / made + record["seconds"] / record["n_training"]),
        "provenance": summary["provenance"],
    }
    runs.write_summary(paths.published() / "again.json", content)
    print(json.dumps({key: content[key] for key in list(content)[2:-1]}, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
