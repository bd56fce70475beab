"""The one way from an image to its masks."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from scipy.ndimage import gaussian_filter

from cxrseg import load_model, models
from cxrseg.data.square import to_square
from cxrseg.evaluate.external import evaluate_external
from cxrseg.evaluate.metrics import overlap
from cxrseg.evaluate.predict import GRID, Network, in_pixels, load_keras, predict, predict_image
from cxrseg.phantom import LABELS, phantom
from cxrseg.segment.files import segment_files

BRIGHT = Network(64, lambda inputs: np.clip(3 * inputs - 1, 0, 1), ["lungs"])


def shape_of(k):
    """Return the shape of picture number k: many sizes, tall and wide, smaller and larger than the grid."""
    rng = np.random.default_rng(k)
    return tuple(int(side) for side in rng.integers(90, 700, 2)) if k % 5 else (GRID, GRID)


def picture(k):
    height, width = shape_of(k)
    made = phantom(5, k, LABELS[k % 3], max(height, width), "randomised")
    top, left = (max(height, width) - height) // 2, (max(height, width) - width) // 2
    part = np.s_[top : top + height, left : left + width]
    return made.image[part], made.lungs[part]


def test_a_prepared_square_and_the_image_it_came_from_have_the_same_levels():
    image, _ = picture(3)
    found = predict_image(BRIGHT, image, 0.5, 0)
    np.testing.assert_array_equal(found.square, to_square(image, GRID))
    np.testing.assert_array_equal(found.levels, predict(BRIGHT, found.square[None])[0])
    np.testing.assert_array_equal(in_pixels(found, 0.5, (GRID, GRID)), found.masks)


def test_a_network_with_a_large_input_decides_on_its_own_grid():
    assert Network(512, lambda inputs: inputs, ["lungs"]).grid == 512
    assert BRIGHT.grid == GRID


def test_pieces_that_are_dropped_stay_dropped_on_every_grid():
    image = np.zeros((300, 500), np.uint8)
    image[50:250, 60:200] = image[80:230, 300:420] = 255
    image[120:140, 100:120] = 0  # a hole
    image[5:15, 480:490] = 255  # a speck
    found = predict_image(BRIGHT, image, 0.5, 2)
    mask = in_pixels(found, 0.5, image.shape)[..., 0]
    assert not mask[:20, 470:].any()
    assert mask[122:138, 102:118].all()
    assert mask.sum() == pytest.approx(200 * 140 + 150 * 120, rel=0.02)


def test_several_networks_answer_with_their_mean(tmp_path):
    import keras

    files = []
    for k, scale in enumerate((0.2, 0.6)):
        image = keras.Input((32, 32, 1))
        keras.Model(image, keras.layers.Rescaling(scale)(image)).save(tmp_path / f"{k}.keras")
        files.append(tmp_path / f"{k}.keras")
    square = np.full((1, 32, 32), 255, np.uint8)
    np.testing.assert_array_equal(
        predict(load_keras(files, ["lungs"]), square), np.full((1, 32, 32, 1), round(0.4 * 255))
    )


@pytest.mark.slow
def test_external_scores_are_those_of_what_segment_writes(tmp_path, monkeypatch):
    """Fifty pictures of many sizes, through `cxrseg evaluate default --native` and through `cxrseg segment`."""
    for kind in ("images", "masks"):
        (tmp_path / "hospital" / kind).mkdir(parents=True)
    truths = {}
    for k in range(50):
        image, truths[f"{k:02d}"] = picture(k)
        Image.fromarray(image).save(tmp_path / "hospital" / "images" / f"{k:02d}.png")
        Image.fromarray(truths[f"{k:02d}"]).save(tmp_path / "hospital" / "masks" / f"{k:02d}.png")
    truths = {name: truth for name, truth in truths.items() if truth.any()}
    monkeypatch.setattr("cxrseg.paths.runs", lambda: tmp_path / "runs")
    evaluate_external(models.DEFAULT, "folder", tmp_path / "hospital", native=True)
    import pandas as pd

    rows = pd.read_csv(tmp_path / "runs" / "default" / "external" / "hospital-native" / "cases.csv").set_index(
        "case_id"
    )
    files = sorted((tmp_path / "hospital" / "images").glob("*.png"))
    written = {file.stem: row for file, row in segment_files(load_model(), files, tmp_path / "out")}
    assert len(rows) >= 45
    for name, truth in truths.items():
        mask = np.asarray(Image.open(tmp_path / "out" / written[name]["mask"])) > 0
        case = next(case for case in rows.index if name in case)
        # Keras and onnxruntime round differently: a pixel or two of the outline may fall on the other side.
        assert rows.loc[case, "predicted_pixels"] == pytest.approx(mask.sum(), abs=max(3, 2e-4 * mask.size))
        assert rows.loc[case, "dice"] == pytest.approx(overlap(truth, mask)["dice"], abs=3e-4)


def test_lungs_come_first_as_the_larger_of_both_sides():
    sides = np.stack(np.meshgrid(np.linspace(0, 1, 8), np.linspace(0, 1, 8)), axis=-1)[None].astype(np.float32)
    squares = np.zeros((1, 8, 8), np.uint8)
    found = predict(Network(8, lambda inputs: sides, ["lungs", "right_lung", "left_lung"]), squares)
    np.testing.assert_array_equal(found[..., 1:], np.round(255 * sides))
    np.testing.assert_array_equal(found[..., 0], np.maximum(found[..., 1], found[..., 2]))
    alone = predict(Network(8, lambda inputs: sides, ["lungs", "infection"]), squares)
    np.testing.assert_array_equal(alone, found[..., 1:])


def test_lungs_are_both_sides_in_the_picture_s_pixels():
    rng = np.random.default_rng(5)
    sides = gaussian_filter(rng.random((1, 64, 64, 2)), (0, 5, 5, 0)).astype(np.float32)
    sides = (sides - sides.min()) / np.ptp(sides)
    found = predict_image(
        Network(64, lambda inputs: sides, ["lungs", "right_lung", "left_lung"]), np.zeros((300, 410), np.uint8), 0.5, 2
    )
    masks = in_pixels(found, 0.5, (300, 410))
    np.testing.assert_array_equal(masks[..., 0], masks[..., 1] | masks[..., 2])
    assert all(ndimage.label(masks[..., k], np.ones((3, 3)))[1] == 1 for k in (1, 2))
