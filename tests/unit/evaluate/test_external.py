"""External validation: scored where a study scores, in the pixels and the millimetres that it says."""

import json
import shutil
from collections import Counter
from functools import partial

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.spatial.distance import cdist
from skimage.segmentation import find_boundaries

from cxrseg import paths
from cxrseg.config import DataConfig, EvaluateConfig, Study, TrainConfig
from cxrseg.data import sets
from cxrseg.data.cases import Case
from cxrseg.data.prepare import prepare
from cxrseg.evaluate import external, pooled
from cxrseg.files import locked
from cxrseg.phantom import LABELS, phantom
from cxrseg.studies import write_study

SCORES = EvaluateConfig(resamples=200, threshold=0.4, pieces=2)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that makes a run of one network, which takes what is bright for lung, on a folder's data."""
    import keras

    def make(name, folder, input_size=64):
        data = DataConfig(source="folder", path=str(folder), folds=2)
        dataset = prepare(data, paths.data(name), 1)
        learnt = TrainConfig(batch_size=4)
        study = Study(name=name, data=data, train=learnt, evaluate=SCORES, run_folds=2)
        write_study(study, paths.run(name) / "study.yml")
        record = {"fingerprint": dataset.fingerprint, "config": learnt.model_dump(), "n_parameters": 0}
        for number in range(2):
            paths.fold(name, number).mkdir()
            image = keras.Input((input_size, input_size, 1))
            # Pixel by pixel: alike in any batch. In float32, whatever a training before this one has set.
            answer = keras.layers.Rescaling(2.0, -0.3, dtype="float32")(image)
            answer = keras.layers.ReLU(1, dtype="float32")(answer)
            keras.Model(image, answer).save(paths.fold(name, number) / "model.keras")
            (paths.fold(name, number) / "train.json").write_text(json.dumps({**record, "fold": number}))

    monkeypatch.setattr("cxrseg.paths.runs", lambda: tmp_path / "runs")
    return make


def pictures(folder, count=10, seed=5, shape=None):
    """Write phantoms of many sizes, tall and wide, smaller and larger than the grid, as a folder with two classes."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        height, width = shape or (int(side) for side in rng.integers(150, 500, 2))
        side = max(height, width)
        made = phantom(seed, k, LABELS[0], side, "realistic")
        part = np.s_[(side - height) // 2 :, (side - width) // 2 :]
        for kind, pixels in (("images", made.image), ("masks", made.lungs)):
            (folder / LABELS[k % 2] / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels[part][:height, :width]).save(folder / LABELS[k % 2] / kind / f"{k}.png")
    return folder


def rows_of(name, dataset):
    return pd.read_csv(paths.external(name, dataset) / "cases.csv", dtype={"case_id": str})


@pytest.mark.parametrize("input_size", [64, 256, 288])
def test_a_set_scores_the_same_prepared_by_a_study_and_from_its_files(run, tmp_path, input_size):
    folder = pictures(tmp_path / "hospital")
    run("study", folder, input_size)
    pooled.evaluate(SCORES, paths.data("study"), [paths.fold("study", k) for k in range(2)], paths.run("study"))
    studied = pd.read_csv(paths.run("study") / "cases.csv", dtype={"case_id": str}).set_index("case_id")
    summary = external.evaluate_external("study", "folder", folder)
    scored = rows_of("study", "hospital").set_index("case_id")
    assert summary["grid"] == 256 and summary["n_cases"] == len(studied) == 10
    assert studied["dice"].nunique() > 5
    pd.testing.assert_frame_equal(scored.drop(columns="fold"), studied.drop(columns="fold").loc[scored.index])


def test_the_prepared_data_of_a_run_are_a_set_of_their_own(run, tmp_path):
    for name, seed in (("a", 5), ("b", 6)):
        run(name, pictures(tmp_path / name, seed=seed))
        external.evaluate_external("a", "folder", tmp_path / name)
    from_files = rows_of("a", "b")
    with pytest.raises(ValueError, match="another set called 'b'"):  # that of the folder, as far as anybody can know
        external.evaluate_external("a", *sets.parse("run:b"))
    shutil.rmtree(paths.external("a", "b"))
    external.evaluate_external("a", *sets.parse("run:b"))
    pd.testing.assert_frame_equal(rows_of("a", "b"), from_files)
    with pytest.raises(ValueError, match="has learnt from this dataset"):
        external.evaluate_external("a", *sets.parse("run:a"))


def test_scores_of_another_set_of_the_same_name_stay(run, tmp_path):
    run("study", pictures(tmp_path / "own", count=4))
    for place, seed in (("one", 6), ("two", 7)):
        pictures(tmp_path / place / "films", count=4, seed=seed)
    external.evaluate_external("study", "folder", tmp_path / "one" / "films")
    before = rows_of("study", "films")
    with pytest.raises(ValueError, match="another set called 'films'"):
        external.evaluate_external("study", "folder", tmp_path / "two" / "films")
    pd.testing.assert_frame_equal(rows_of("study", "films"), before)
    shutil.copytree(tmp_path / "one" / "films", tmp_path / "films", copy_function=shutil.copyfile)  # with other dates
    external.evaluate_external("study", "folder", tmp_path / "films")
    (tmp_path / "films" / LABELS[0] / "images" / "0.png").touch()  # the same place, changed
    external.evaluate_external("study", "folder", tmp_path / "films")


def test_two_evaluations_on_one_set_do_not_mix(run, tmp_path):
    run("study", pictures(tmp_path / "films", count=4))
    paths.external("study", "").mkdir()
    with (
        locked(paths.external("study", ".films.lock"), "the scores"),
        pytest.raises(RuntimeError, match="another process is at work on the scores of 'study' on 'films'"),
    ):
        external.evaluate_external("study", "folder", tmp_path / "films")


def test_native_scores_are_in_the_pixels_of_each_mask(run, tmp_path):
    folder = pictures(tmp_path / "hospital", count=4)
    run("study", folder)
    external.evaluate_external("study", "folder", folder)
    summary = external.evaluate_external("study", "folder", folder, native=True)
    assert summary["grid"] is None
    pixels = {file.stem: int((np.asarray(Image.open(file)) > 0).sum()) for file in folder.rglob("masks/*.png")}
    rows = rows_of("study", "hospital-native")
    assert {row.case_id.split("/")[-1].split(".")[0]: row.truth_pixels for row in rows.itertuples()} == pixels
    assert set(rows["truth_pixels"]).isdisjoint(rows_of("study", "hospital")["truth_pixels"])


@pytest.mark.parametrize("size", [256, 512])
def test_a_network_sees_as_much_as_in_its_own_study(size):
    """Stripes of one pixel: shrunk to 256 pixels they are an even grey."""
    stripes, seen = np.zeros((size, size), np.uint8), []
    stripes[:, ::2] = 255

    def probability(inputs):
        seen.append(inputs)
        return np.full((*inputs.shape[:3], 1), 0.9, np.float32)

    study = Study(data=DataConfig(image_size=size), train=TrainConfig(input_size=size))
    case = Case("a", "all", lambda: stripes, {"lungs": lambda: stripes.T > 0})
    inside = external.Network(size, probability, ["lungs"])
    ((_, truth, predicted, *_),) = external._segmented(
        [case], ["lungs"], inside, study, False, set(), [], [], Counter()
    )
    assert np.ptp(seen[0]) == 1
    assert truth.shape == predicted.shape == (256, 256, 1)


@pytest.mark.parametrize("there", [2, 0])
def test_a_structure_without_a_mask_does_not_cost_the_others(tmp_path, monkeypatch, there):
    monkeypatch.setattr("cxrseg.paths.runs", lambda: tmp_path / "runs")
    folder = tmp_path / "hospital"
    for k in range(5):
        made = phantom(6, k, "Normal", 128, "realistic")
        heart = made.heart if k < there else made.heart & False
        for kind, pixels in (("images", made.image), ("masks/lungs", made.lungs), ("masks/heart", heart)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            if kind != "masks/heart" or k < there or not there:
                Image.fromarray(pixels).save(folder / kind / f"{k}.png")
    summary = external.evaluate_external("default", "folder", folder)
    rows = rows_of("default", "hospital")
    assert rows["structure"].value_counts().to_dict() == {"lungs": 5, "heart": there or 5}
    assert summary["dice"]["n"] == 5 and summary["refused"] == []
    note, count = ("no heart mask", 3) if there else ("the heart mask is empty", 5)
    assert [number for words, number in summary["notes"].items() if note in words] == [count]


def spacing(values):
    return values


def shown(kind, shape):
    """Return a bright box; the reference is the same box, moved."""
    box = np.zeros(shape, bool)
    box[100:300, 60:200] = True
    moved = np.roll(box, (8, 16), axis=(0, 1))
    return moved if kind == "mask" else np.where(box, 220, 20).astype(np.uint8)


@pytest.mark.parametrize("native", [False, True], ids=["square", "native"])
def test_millimetres_follow_the_height_and_the_width_of_a_pixel(run, tmp_path, monkeypatch, native):
    run("study", pictures(tmp_path / "hospital", count=4))
    shape, sizes = (384, 256), (0.2, 0.7)
    (tmp_path / "films").mkdir()
    cases = [
        Case(name, "all", partial(shown, "image", shape), {"lungs": partial(shown, "mask", shape)}, None, known)
        for name, known in (("known", partial(spacing, sizes)), ("unknown", partial(spacing, None)), ("none", None))
    ]
    monkeypatch.setattr(external, "find_cases", lambda config: cases)
    summary = external.evaluate_external("study", "folder", tmp_path / "films", native)
    rows = rows_of("study", "films-native" if native else "films").set_index("case_id")
    assert rows["hd95_mm"].isna().tolist() == rows["assd_mm"].isna().tolist() == [False, True, True]
    # On the square of 256, a pixel stands for 1.5 of the 384 rows. The boxes' edges are straight, so brute force on
    # the original outlines differs by the rounding of an edge to a pixel of the square.
    points = [
        np.argwhere(find_boundaries(mask, connectivity=1, mode="inner")) * sizes
        for mask in (shown("mask", shape), shown("image", shape) > 128)
    ]
    far = cdist(*points)
    pooled_distances = np.concatenate([far.min(axis=0), far.min(axis=1)])
    pixel = np.hypot(*sizes) * (1 if native else 1.5)
    assert rows.loc["known", "hd95_mm"] == pytest.approx(np.percentile(pooled_distances, 95), abs=1.5 * pixel)
    assert rows.loc["known", "assd_mm"] == pytest.approx(pooled_distances.mean(), abs=pixel)
    lungs = summary["structures"]["lungs"]
    assert lungs["hd95_mm"]["n"] == 1 and lungs["hd95_px"]["n"] == 3


def test_a_set_is_scored_on_the_structures_that_it_has(tmp_path):
    wanted = ["lungs", "right_lung", "left_lung", "heart"]
    folder = pictures(tmp_path / "plain", count=2)
    assert list(external._found("folder", folder, wanted, {})[0].masks) == ["lungs"]
    for name in wanted[1:]:
        shutil.copytree(folder / LABELS[0] / "masks", tmp_path / "sides" / "masks" / name)
    shutil.copytree(folder / LABELS[0] / "images", tmp_path / "sides" / "images")
    (case,) = external._found("folder", tmp_path / "sides", wanted, {})
    assert list(case.masks) == wanted
    with pytest.raises(ValueError, match="--labels lung: the network knows lungs, right_lung"):
        external._found("folder", folder, wanted, {"lung": [1]})
    with pytest.raises(ValueError, match="--labels heart: no masks of the heart"):
        external._found("folder", folder, wanted, {"heart": [3]})
    with pytest.raises(ValueError, match="--labels: only for folder:PATH and csv:FILE"):
        external.evaluate_external("default", "montgomery", folder, labels={"lungs": [1]})
