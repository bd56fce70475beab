"""Put into the package what was measured or trained: the default model with its card, and the predicted Dice.

``python tools/ship.py phantom`` makes the network of that run the default model. Its card quotes the published results
``zero-shot`` and ``jsrt``. Only a network trained on phantoms alone may be distributed: weights trained on patients'
images are not ours to give. ``python tools/ship.py quality`` takes over the published result ``quality``.
"""

import json
import sys
from pathlib import Path

from cxrseg import models, paths, runs
from cxrseg.config import TrainConfig
from cxrseg.evaluate import quality
from cxrseg.segment.export import export, rebuild

CARD = Path(__file__).with_name("card.md")
"""The model card, with places for the numbers."""


def ship(run: str) -> None:
    """Write ``default.onnx``, ``.json``, ``.keras`` (float32 weights) and ``.md`` to ``cxrseg/models/``."""
    if runs.study(run).data.source != "phantom":
        sys.exit(f"run {run!r} learnt from {runs.study(run).data.source}: only phantoms belong to nobody")
    content = export(run)
    target = models.graph_file(models.DEFAULT)
    for suffix in (".onnx", ".json"):
        target.with_suffix(suffix).write_bytes(models.graph_file(run).with_suffix(suffix).read_bytes())
    record = json.loads((paths.fold(run, 0) / "train.json").read_text())
    rebuild(models.weights_file(run), TrainConfig(**record["config"])).save(models.weights_file(models.DEFAULT))
    target.with_suffix(".md").write_text(card(content, record))


def card(content: models.ModelCard, record: dict) -> str:
    """Return the model card, with scores on real radiographs from ``book/published/``."""
    real, jsrt = (json.loads((paths.published() / f"{name}.json").read_text()) for name in ("zero-shot", "jsrt"))
    others, films = real["others"], jsrt["others"]
    return CARD.read_text().format(
        parameters=record["n_parameters"], phantoms=record["n_training"], cores=record["hardware"]["cores"],
        seed=content.seed, commit=content.commit, seconds=content.seconds, precision=record["precision"],
        steered=real["decision"]["n"], films=jsrt["decision"]["n"], real=others["n"],
        total=real["decision"]["n"] + others["n"],
        mean=others["mean"], low=others["ci95"][0], high=others["ci95"][1],
        p5=others["p5"], below=others["below_080"],
        classes=", ".join(f"{label} {scores['mean']:.3f}" for label, scores in others["classes"].items()),
        made=content.scores["cases"], dice=content.scores["dice"],
        others=films["n"], lungs=films["structures"]["lungs"]["mean"], heart=films["structures"]["heart"]["mean"],
        error=films["ctr"]["error"]["mean"], bias=films["ctr"]["bias"]["mean"],
        below_ctr=films["ctr"]["limits"][0], above_ctr=films["ctr"]["limits"][1],
    )  # fmt: skip


def ship_quality() -> None:
    """Write the published weights and mean shape of the predicted Dice to ``cxrseg/evaluate/quality.json``."""
    content = json.loads((paths.published() / "quality.json").read_text())
    shown = {key: content[key] for key in ("weights", "mean_shape")}
    Path(quality.__file__).with_name("quality.json").write_text(json.dumps(shown) + "\n")


if __name__ == "__main__":
    ship_quality() if sys.argv[1] == "quality" else ship(sys.argv[1])
