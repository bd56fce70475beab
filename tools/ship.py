"""Make a run's network the default model, which comes with the package, and write its model card.

    cxrseg run phantom
    cxrseg evaluate phantom --on covid_qu_ex:covid-qu-ex-1500.zip
    cxrseg evaluate phantom --on folder:jsrt-246.zip
    python experiments/zero_shot.py phantom covid-qu-ex-1500 --out book/published/zero-shot.json
    python experiments/jsrt.py phantom jsrt-246
    python tools/ship.py phantom

Only a network trained on phantoms alone may be distributed: weights trained on patients' images are not ours to give.
"""

import json
import sys

from cxrseg import models, paths, runs
from cxrseg.config import TrainConfig
from cxrseg.segment.export import export, rebuild

CARD = """# The default model of cxrseg

`default.onnx` and `default.keras` are one U-Net of {parameters:,} weights, in float32. It outlines the right lung, the
left lung and the heart in a frontal chest X-ray. `default.json` says what goes in and how the answer is cut;
`cxrseg segment` does both.

- **Trained on** {phantoms:,} synthetic chest X-rays and no patient: `cxrseg run phantom`, seed
  {seed}, commit {commit:.7}, {seconds:.0f} seconds in {precision} on {cores} cores after the phantoms were made. What
  they look like was steered by scores and mask shapes of {steered} real radiographs of COVID-QU-Ex and {films} of JSRT,
  none of which was learnt from. That it sees grey levels as they are was chosen when its scores on all {total:,} of
  COVID-QU-Ex were known.
- **Dice of the lungs on {real:,} other real radiographs** of COVID-QU-Ex: mean {mean:.3f} (95% interval {low:.3f} to
  {high:.3f}), 5th percentile {p5:.3f}, below 0.8 in {below:.1%}; {classes}. On {made:,} synthetic ones {dice:.3f}.
- **On {others} other films of JSRT**: mean Dice of both lungs {lungs:.3f}, heart {heart:.3f}; cardiothoracic ratio:
  mean absolute error {error:.4f}, bias {bias:+.4f}, limits of agreement {below_ctr:+.3f} to {above_ctr:+.3f}.
- **Meant for** teaching, research, and as a start for networks trained on patients. **Not a medical device**: do not
  decide on anybody's treatment by it. The ratio holds for upright PA films only.
- **Known to fail** on white lungs and bases, small children, chests that lie askew, and where the diaphragm hardly
  shows. Age, sex, origin and device of the radiographs of COVID-QU-Ex are not known.
- **Licence**: MIT.
"""


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
    for file in sorted(target.parent.iterdir()):
        print(f"{file.name}: {file.stat().st_size:,} bytes")


def card(content: models.ModelCard, record: dict) -> str:
    """Return the model card, with scores on real radiographs from ``book/published/``."""
    real, jsrt = (json.loads((paths.published() / f"{name}.json").read_text()) for name in ("zero-shot", "jsrt"))
    others, films = real["others"], jsrt["others"]
    return CARD.format(
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


if __name__ == "__main__":
    ship(sys.argv[1])
