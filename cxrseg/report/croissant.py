"""Describe the phantoms of a run for machines, in Croissant 1.0: https://docs.mlcommons.org/croissant/docs/croissant-spec.html.

The description lies beside the files that it describes, so that both travel together. Other radiographs are not ours
to describe: their publishers say what they are and under which licence.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

import cxrseg
from cxrseg import paths
from cxrseg.files import write_json

NAME = "croissant.json"

LICENCE = "https://spdx.org/licenses/MIT"
"""The licence of the package that draws the phantoms."""

TERMS = (
    "citeAs column equivalentProperty extract field fileObject fileProperty fileSet format includes isLiveDataset "
    "jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate separator source "
    "subField transform"
)

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in TERMS.split()},
}
"""What the terms mean, all those of the format, because readers warn where one is missing."""

COLUMNS = {
    "case_id": "Name of the case",
    "label": "Diagnostic class that the phantom imitates",
    "group": "Patient",
    "width": "Width of the radiograph in pixels, before it was brought to the grid of the arrays",
    "height": "Height of the radiograph in pixels, before it was brought to the grid of the arrays",
    "original_sha256": "Digest of the radiograph's pixels as read",
    "sha256": "Digest of the prepared radiograph's pixels",
    "mask_sha256": "Digest of the mask's pixels",
    "cluster": "Number of the cluster of near-duplicates that the case belongs to",
    "fold": "Fold in which the case is tested",
}
"""What the columns of ``cases.csv`` hold; those of the areas are named after the structures."""


def write(name: str) -> None:
    """Write the description of a run's prepared phantoms beside them; of other radiographs, write none."""
    folder = paths.data(name)
    record = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    if record["parameters"]["source"] == "phantom":
        made = json.loads((paths.run(name) / "summary.json").read_text(encoding="utf-8"))["provenance"]["created"]
        write_json(folder / NAME, describe(folder, record, made[:10]))


def describe(folder: Path, record: dict, date: str) -> dict:
    """Return the description of a prepared dataset of phantoms.

    Parameters
    ----------
    folder : Path
        Where ``images.npy``, ``masks.npy``, ``cases.csv`` and ``dataset.json`` lie.
    record : dict
        The content of ``dataset.json``.
    date : str
        When it was made, as 2026-11-28.
    """
    arrays = {
        "images.npy": "Radiographs, 0 black to 255 white",
        "masks.npy": f"Masks of 0 and 1, one channel each for {', '.join(record['structures'])}",
    }
    files = {
        file: f"{what}: NumPy array of shape {np.load(folder / file, mmap_mode='r').shape}, uint8"
        for file, what in arrays.items()
    }
    files |= {"cases.csv": "One row per case, in the order of the arrays", "dataset.json": "How the set was made"}
    classes = ", ".join(f"{count} {label}" for label, count in record["classes"].items())
    setting, seed = record["parameters"]["setting"], record["parameters"]["seed"]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"cxrseg-phantoms-{record['fingerprint'][:8]}",
        "description": f"{record['n_cases']} synthetic frontal chest radiographs with exact masks ({classes}), drawn "
        f"by a program: setting {setting}, seed {seed}. They show no patient.",
        "version": cxrseg.__version__.replace(".dev", "-dev"),
        "license": LICENCE,
        "creator": {"@type": "sc:Organization", "name": "The cxrseg authors"},
        "datePublished": date,
        "url": "./",
        "keywords": ["chest X-ray", "segmentation", "synthetic data"],
        "distribution": [file_object(folder / file, about) for file, about in files.items()],
        "recordSet": [record_set(pd.read_csv(folder / "cases.csv"))],
    }


def file_object(file: Path, about: str) -> dict:
    """Return the description of one file of the set."""
    formats = {".npy": "application/octet-stream", ".csv": "text/csv", ".json": "application/json"}
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "description": about,
        "contentUrl": file.name,
        "contentSize": f"{file.stat().st_size} B",
        "encodingFormat": formats[file.suffix],
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }


def record_set(cases: pd.DataFrame) -> dict:
    """Return the description of the table of cases, without its empty columns."""
    kinds = {"i": "sc:Integer", "f": "sc:Float"}
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"cases/{column}",
            "name": column,
            "description": COLUMNS.get(column, f"Share of the image that is {column.removesuffix('_share')}"),
            "dataType": kinds.get(cases[column].dtype.kind, "sc:Text"),
            "source": {"fileObject": {"@id": "cases.csv"}, "extract": {"column": column}},
        }
        for column in cases.dropna(axis="columns", how="all").columns
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "cases",
        "name": "cases",
        "key": {"@id": "cases/case_id"},
        "field": fields,
    }
