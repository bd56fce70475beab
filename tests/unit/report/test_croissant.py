"""The description of the phantoms, against the specification of Croissant 1.0 and, where installed, its own reader."""

import csv
import hashlib
import json
import re

import numpy as np
import pytest

from cxrseg.report import croissant

REQUIRED = {"@context", "@type", "conformsTo", "description", "license", "name", "url", "creator", "datePublished"}
"""Of every dataset, says https://docs.mlcommons.org/croissant/docs/croissant-spec.html; `distribution` besides."""

RECORD = {
    "n_cases": 2,
    "classes": {"COVID": 1, "Normal": 1},
    "structures": ["lungs"],
    "fingerprint": "0123456789abcdef",
    "parameters": {"source": "phantom", "setting": "realistic", "seed": 7},
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return the folder of a run with two phantoms."""
    folder = tmp_path / "data"
    folder.mkdir()
    np.save(folder / "images.npy", np.zeros((2, 8, 8), np.uint8))
    np.save(folder / "masks.npy", np.zeros((2, 8, 8, 1), np.uint8))
    rows = ["case_id,label,group,width,lungs_share,fold", "one,COVID,,8,0.25,0", "two,Normal,,8,0.5,1"]
    (folder / "cases.csv").write_text("\n".join(rows) + "\n")
    (folder / "dataset.json").write_text(json.dumps(RECORD))
    (tmp_path / "summary.json").write_text('{"provenance": {"created": "2026-11-28T23:55:37+00:00"}}')
    monkeypatch.setattr(croissant.paths, "run", lambda name: tmp_path)
    return tmp_path


@pytest.fixture
def described(run):
    croissant.write("any")
    return json.loads((run / "data" / "croissant.json").read_text())


def test_what_the_specification_requires_is_there(described):
    assert described.keys() >= REQUIRED | {"distribution"}
    assert described["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert described["@context"]["conformsTo"] == "dct:conformsTo"
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", described["version"])  # Semantic Versioning 2.0.0
    assert described["datePublished"] == "2026-11-28"
    for file in described["distribution"]:
        assert file.keys() >= {"@id", "name", "contentUrl", "contentSize", "encodingFormat", "sha256"}


def test_every_file_is_the_one_that_lies_there(described, run):
    assert {file["contentUrl"] for file in described["distribution"]} == {
        file.name for file in (run / "data").iterdir()
    } - {"croissant.json"}
    for file in described["distribution"]:
        content = (run / "data" / file["contentUrl"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["contentSize"] == f"{len(content)} B"


def test_every_column_that_holds_something_is_a_field_of_its_kind(described, run):
    (records,) = described["recordSet"]
    kinds = {field["source"]["extract"]["column"]: field["dataType"] for field in records["field"]}
    assert kinds == {
        "case_id": "sc:Text", "label": "sc:Text", "width": "sc:Integer", "lungs_share": "sc:Float",
        "fold": "sc:Integer",
    }  # fmt: skip
    ids = {field["@id"] for field in records["field"]} | {file["@id"] for file in described["distribution"]}
    assert records["key"]["@id"] in ids
    assert {field["source"]["fileObject"]["@id"] for field in records["field"]} <= ids


def test_radiographs_of_others_are_not_described(run):
    record = RECORD | {"parameters": RECORD["parameters"] | {"source": "covid_qu_ex"}}
    (run / "data" / "dataset.json").write_text(json.dumps(record))
    croissant.write("any")
    assert not (run / "data" / "croissant.json").exists()


@pytest.mark.filterwarnings("default")  # of the reader, and of what it rests on
def test_its_own_reader_finds_the_cases(described, run):
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    found = list(mlcroissant.Dataset(run / "data" / "croissant.json").records("cases"))
    with open(run / "data" / "cases.csv") as file:
        expected = [(row["case_id"].encode(), float(row["lungs_share"])) for row in csv.DictReader(file)]
    assert [(one["cases/case_id"], one["cases/lungs_share"]) for one in found] == expected
