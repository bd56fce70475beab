"""A matrix of two runs and two sets, one of which cannot be read, through the command line and Snakemake."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from support import cxrseg

from cxrseg.data.dataset import Dataset
from cxrseg.phantom import phantom

pytestmark = pytest.mark.slow


def add(folder, name, image, mask):
    for kind, pixels in (("images", image), ("masks", mask)):
        (folder / "Normal" / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / "Normal" / kind / f"{name}.png")


def strangers(folder, count=3):
    for k in range(count):
        made = phantom(99, k, "Normal", 96, "realistic")
        add(folder, f"new{k}", made.image, made.lungs)
    return folder


@pytest.fixture(scope="module")
def sets(checkout, tiny, tmp_path_factory):
    """Return the folder of two sets, beside `tiny` a twin of it with another threshold."""
    twin, sets = tiny.with_name("twin"), tmp_path_factory.mktemp("sets")
    shutil.copytree(tiny, twin)
    study = yaml.safe_load((twin / "study.yml").read_text())
    study["evaluate"]["threshold"] = 0.3
    (twin / "study.yml").write_text(yaml.safe_dump(study))
    dataset = Dataset.load(tiny / "data")
    for k in range(2):
        add(strangers(sets / "clinic A's"), f"known{k}", dataset.images[k], dataset.masks[k, ..., 0] * 255)
    add(sets / "broken", "a", dataset.images[0], np.zeros((64, 64), np.uint8))
    return sets


def matrix(checkout, *given):
    return cxrseg(checkout, "matrix", "--runs", "tiny,twin", *(word for on in given for word in ("--on", on)))


def cells(run):
    return pd.read_csv(run / "matrix.csv", keep_default_na=False, na_values=[""]).set_index(["run", "set"])


def written(tiny):
    return {file: file.stat().st_mtime_ns for file in tiny.parent.glob("t*/external/*/summary.json")}


def test_matrix(checkout, tiny, sets):
    folders = {name: f"folder:{sets / name}" for name in ("clinic A's", "broken")}
    done = matrix(checkout, *folders.values(), "run:tiny")
    assert done.returncode == 1
    assert "broken" in done.stderr and "Traceback" not in done.stderr
    assert "no score: tiny on broken\nno score: twin on broken\n" in done.stdout
    with Image.open(tiny / "matrix.png") as picture:
        assert picture.format == "PNG"
    table = cells(tiny)
    assert list(table.index) == [(run, name) for run in ("tiny", "twin") for name in ("clinic A's", "broken", "tiny")]
    for run in ("tiny", "twin"):
        rows = pd.read_csv(tiny.with_name(run) / "external" / "clinic A's" / "cases.csv")
        unseen = rows[rows["case_id"].str.contains("new")]
        cell = table.loc[(run, "clinic A's")]
        assert (len(rows), cell["n"], cell["left_out"], cell["own"]) == (5, 3, 2, False)
        assert cell["mean"] == pytest.approx(unseen["dice"].mean(), abs=1e-4)
        assert cell["low"] <= cell["mean"] <= cell["high"]
        assert table.loc[(run, "broken"), "n"] == 0 and np.isnan(table.loc[(run, "broken"), "mean"])
        # Both have learnt from the prepared data of `tiny`. The twin is first scored at its own threshold.
        own = json.loads((tiny.with_name(run) / "summary.json").read_text())["dice"]
        cell = table.loc[(run, "tiny")]
        assert cell["own"] and cell["n"] == own["n"]
        assert [cell["mean"], cell["low"], cell["high"]] == pytest.approx([own["mean"], *own["ci95"]], abs=1e-4)
    assert not (tiny / "external" / "tiny").exists()

    # Only what has changed is scored again.
    before = written(tiny)
    done = matrix(checkout, folders["clinic A's"])
    assert done.returncode == 0, done.stderr
    assert written(tiny) == before
    strangers(sets / "clinic A's", count=4)
    done = matrix(checkout, folders["clinic A's"])
    assert done.returncode == 0, done.stderr
    after = written(tiny)
    assert {file for file in after if after[file] != before[file]} == {
        tiny.with_name(run) / "external" / "clinic A's" / "summary.json" for run in ("tiny", "twin")
    }
