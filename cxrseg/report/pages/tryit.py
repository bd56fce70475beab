"""Assemble the files of the page "Try it": the runtime, a network and a few samples.

A page opened from a file may not fetch data, start a worker or read the pixels of an image. Each part is therefore
written twice, compressed: as bytes, and as a script with the bytes in base64, which is a third larger.
"""

import base64
import gzip
import hashlib
import io
import json
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from cxrseg import models, paths
from cxrseg.evaluate import quality
from cxrseg.phantom import Phantom, phantom
from cxrseg.report.npm import installed

RUNTIME = {"runtime": "ort.wasm.bundle.min.mjs", "wasm": "ort-wasm-simd-threaded.wasm"}
"""The two files of onnxruntime-web that the page needs, 14 MB of about 130 MB."""

SAMPLES = (("Normal", 1), ("COVID", 5), ("Non-COVID", 9))
"""Class and number of the phantoms offered as samples."""


def assemble(run: str, target: Path) -> None:
    """Write the parts, ``quality-model.js`` and ``samples.js``. Unchanged files are left alone.

    Parameters
    ----------
    run : str
        The run of the report. The page uses its exported network, or the default network if there is none or it does
        not segment lungs.
    target : Path
        Output folder.

    Raises
    ------
    RuntimeError
        onnxruntime-web could not be installed.
    """
    target.mkdir(parents=True, exist_ok=True)
    folder = runtime()
    for part, file in RUNTIME.items():
        write_part(target, part, (folder / file).read_bytes())
    shown = next((name for name in (run, models.DEFAULT) if _can_be_tried(name)), None)
    write_part(target, "model", models.graph_file(shown).read_bytes() if shown else b"")
    write_part(target, "info", models.card_file(shown).read_bytes() if shown else b"null")
    samples = [{"label": label, "jpeg": text(_jpeg(sample(label, number).image))} for label, number in SAMPLES]
    write_script(target / "quality-model.js", "tryit.qualityModel", quality.model())
    write_script(target / "samples.js", "tryit.samples", samples)


def _can_be_tried(name: str) -> bool:
    """Return whether a network is exported, and finds lungs, which the page measures."""
    return models.graph_file(name).is_file() and models.card(name).structures[0] == "lungs"


def runtime() -> Path:
    """Return the folder with the files of onnxruntime-web in their locked version, installing them on first use."""
    return installed(paths.root() / "book" / "tryit", [f"onnxruntime-web/dist/{file}" for file in RUNTIME.values()])


@cache
def sample(label: str, number: int) -> Phantom:
    """Return the phantom of a sample, 512 pixels a side."""
    return phantom(2023, number, label, 512)


def _jpeg(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=80)
    return file.getvalue()


def write_part(target: Path, part: str, content: bytes) -> None:
    """Write one part as ``<part>.bin`` and ``<part>.js``, unless the files already have this content."""
    packed, script, head = target / f"{part}.bin", target / f"{part}.js", f"// {hashlib.sha256(content).hexdigest()}\n"
    if packed.is_file() and script.is_file():
        with open(script) as old:
            if old.readline() == head:
                return
    packed.write_bytes(gzip.compress(content, 9, mtime=0))
    script.write_text(f"{head}tryit.packed.{part} = '{text(packed.read_bytes())}';\n")


def write_script(file: Path, variable: str, content: object) -> None:
    """Write a script that sets a variable to a JSON value, unless the file already has this content."""
    script = f"{variable} = {json.dumps(content)};\n"
    if not file.is_file() or file.read_text() != script:
        file.write_text(script)


def text(content: bytes) -> str:
    """Return bytes in base64."""
    return base64.b64encode(content).decode()
