"""Make a run's network the default model: the one that comes with the package.

    cxrseg run phantom
    python benchmarks/ship.py phantom

Only a network trained on phantoms alone may be shipped: weights learnt from patients' images are not ours to give.
"""

import json
import sys

from cxrseg import paths, runs
from cxrseg.export import export, rebuild


def ship(run: str) -> None:
    """Write ``default.onnx``, ``default.json`` and ``default.keras`` (float32 weights) into ``cxrseg/models/``."""
    if runs.study(run).data.source != "phantom":
        sys.exit(f"run {run!r} learnt from {runs.study(run).data.source}: only phantoms belong to nobody")
    content = export(run)
    target = paths.model("default")
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(paths.model(run).read_bytes())
    target.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
    config = json.loads((paths.fold(run, 0) / "train.json").read_text())["config"]
    rebuild(paths.fold(run, 0) / "model.keras", config).save(target.with_suffix(".keras"))
    for file in sorted(target.parent.iterdir()):
        print(f"{file.name}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    ship(sys.argv[1])
