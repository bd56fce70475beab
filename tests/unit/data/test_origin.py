"""Whether a dataset's radiographs are still there, and the same, wherever they lie."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from cxrseg import paths, runs
from cxrseg.config import DataConfig, Study, TrainConfig
from cxrseg.data import origin
from cxrseg.data.prepare import prepare


@pytest.fixture
def films(tmp_path, monkeypatch):
    """Return a folder from which the run `own` was prepared."""
    monkeypatch.setattr(paths, "runs", lambda: tmp_path / "runs")
    folder, rng = tmp_path / "films", np.random.default_rng(2)
    mask = np.zeros((32, 32), np.uint8)
    mask[8:24, 4:12] = mask[8:24, 20:28] = 255
    for k in range(6):
        for kind, pixels in (("images", rng.integers(0, 255, (32, 32), np.uint8)), ("masks", mask)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / kind / f"{k}.bmp")
    runs.start({"own": study(folder)})
    prepare(study(folder).data, paths.data("own"))
    return folder


def study(folder):
    data = DataConfig(source="folder", path=str(folder), image_size=32, folds=2)
    return Study(name="own", data=data, train=TrainConfig(input_size=32))


def record():
    return json.loads((paths.data("own") / "dataset.json").read_text())


def test_changed_files_are_noticed_and_changed_dates_are_not(films):
    assert origin.is_unchanged(record())
    os.utime(films / "masks" / "0.bmp", (1, 1))
    assert origin.is_unchanged(record())
    mask = np.asarray(Image.open(films / "masks" / "0.bmp"))
    Image.fromarray(np.roll(mask, 2, axis=0)).save(films / "masks" / "0.bmp")  # as many bytes as before
    assert not origin.is_unchanged(record())
    shutil.rmtree(films)
    assert origin.is_unchanged(record())


def test_what_cannot_be_prepared_again_is_not_begun(films):
    origin.require(["own"])
    shutil.rmtree(films)
    with pytest.raises(ValueError, match=r"run 'own' has to be prepared again.*no radiographs at .*films"):
        origin.require(["own"])
    shutil.rmtree(paths.data("own"))
    with pytest.raises(ValueError, match=r"run 'own' cannot be prepared.*no radiographs at .*films"):
        origin.require(["own"])


def test_radiographs_may_move_and_may_not_change(films, tmp_path):
    moved = films.rename(tmp_path / "elsewhere")
    runs.start({"own": study(moved)})
    assert runs.study("own").data.path == record()["parameters"]["path"] == str(moved)
    assert origin.is_unchanged(record())
    others = shutil.copytree(moved, tmp_path / "others")
    (others / "images" / "0.bmp").unlink()
    with pytest.raises(ValueError, match=r"exists with other parameters \(data\.path"):
        runs.start({"own": study(others)})
    assert runs.study("own").data.path == str(moved)
