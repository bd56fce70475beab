"""The page "Move the threshold": a few test cases of a run with the data needed to score them in the browser."""

import base64
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from cxrseg.report.cases import TestCases


def assemble(cases: TestCases, folder: Path) -> None:
    """Write ``cases.js`` to a folder.

    The script contains, in base64, the radiographs as JPEG and the exact probabilities and reference masks, compressed.
    The data are in a script because a page opened from a file may neither fetch data nor read the pixels of an image.
    """
    shown = [
        {
            "name": cases.table["case_id"][n],
            "anchor": cases.table["anchor"][n],
            "role": role,
            "side": len(cases.image(n)),
            "jpeg": _text(_jpeg(cases.image(n))),
            "levels": [_packed(level) for level in cases.parts(n)[0]],
            "truth": _packed(cases.truth(n)),
        }
        for n, role in choose(cases.table).items()
    ]
    content = {"threshold": cases.threshold, "pieces": cases.parts(0)[1], "cases": shown}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cases.js").write_text(f"globalThis.threshold = {json.dumps(content)};\n")


def choose(table: pd.DataFrame) -> dict[int, str]:
    """Choose representative rows of a table that is sorted by Dice, and return each row number with its role.

    The rows are the worst, the median and the best of all cases, and the median of each diagnostic class.
    """
    middle, last = len(table) // 2, len(table) - 1
    wanted = [(0, "worst of all"), (middle, "median of all"), (last, "best of all")]
    for label, part in table.groupby("label"):
        wanted.append((part.index[len(part) // 2], f"median of {label}"))
    chosen: dict[int, str] = {}
    for row, role in wanted:
        chosen.setdefault(int(row), role)
    return chosen


def _jpeg(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=85)
    return file.getvalue()


def _packed(values: np.ndarray) -> str:
    return _text(gzip.compress(np.ascontiguousarray(values, np.uint8).tobytes(), 9, mtime=0))


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
