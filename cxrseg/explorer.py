"""The page "Move the threshold": a few test cases of a run with all that is needed to score them again there."""

import base64
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from cxrseg.tested import Tested


def assemble(tested: Tested, folder: Path) -> None:
    """Write ``cases.js`` into a folder.

    It holds the radiographs as JPEG, and the probabilities and reference masks bit for bit, compressed, all in
    base64: a page opened from a file may fetch nothing, and may not look into a picture that lies beside it.
    """
    cases = [
        {
            "name": tested.table["case_id"][n],
            "anchor": tested.table["anchor"][n],
            "role": role,
            "side": len(tested.image(n)),
            "jpeg": _text(_jpeg(tested.image(n))),
            "levels": _packed(tested.level(n)),
            "truth": _packed(tested.truth(n)),
        }
        for n, role in choose(tested.table).items()
    ]
    content = {"threshold": tested.threshold, "pieces": tested.pieces, "cases": cases}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cases.js").write_text(f"globalThis.explorer = {json.dumps(content)};\n")


def choose(table: pd.DataFrame) -> dict[int, str]:
    """Return rows of a table that is sorted by Dice, and what each stands for, once each.

    The worst, the median and the best of all cases, and the median of each diagnostic class.
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
