"""The pictures of a result."""

import numpy as np
import pytest
import skimage.io
from PIL import Image

from cxrseg.segment.overlay import cut_out, overlay, write_mask


def test_crop_is_the_lungs_and_nothing_else():
    image = np.full((40, 60), 100, np.uint8)
    mask = np.zeros((40, 60), bool)
    mask[10:20, 5:15] = mask[12:30, 40:50] = True
    cut = np.asarray(cut_out(image, mask))
    assert cut.shape == (20, 45)
    np.testing.assert_array_equal(cut > 0, mask[10:30, 5:50])
    assert cut_out(image, np.zeros_like(mask)).size == (1, 1)


def test_overlay_tints_the_lungs_only_and_is_small():
    image = np.full((3000, 1500), 100, np.uint8)
    mask = np.zeros((3000, 1500), bool)
    mask[600:1200, 300:900] = True
    shown = np.asarray(overlay(image, mask).convert("RGB")).astype(int)
    assert shown.shape == (1024, 512, 3)
    assert (shown[0, 0] == 100).all()
    coloured = (shown.max(axis=2) - shown.min(axis=2)) > 0
    assert coloured.mean() == pytest.approx(mask.mean(), rel=0.02)
    assert coloured[205:409, 103:307].mean() > 0.99


def test_overlay_shows_the_heart_and_the_two_widths():
    lungs, heart = np.zeros((2, 400, 400), bool)
    lungs[100:300, 50:150] = lungs[100:300, 250:350] = True
    heart[200:280, 150:250] = True
    plain, lined = (
        np.asarray(overlay(np.full((400, 400), 100, np.uint8), lungs, heart, widths).convert("RGB")).astype(int)
        for widths in (False, True)
    )
    green, red = (plain[200, 55], plain[240, 200])
    assert green[1] > green[0] and red[0] > red[1]
    changed = (plain != lined).any(axis=2)
    columns = np.flatnonzero(changed.any(axis=0))
    assert 50 <= columns.min() <= 53 and 346 <= columns.max() <= 349  # from outline to outline
    level = changed[199:202, 160:240].all(axis=1)  # between the lungs, at half their height
    assert level.all()
    assert changed[239:242, 160:240].all()
    assert changed.mean() < 0.02


@pytest.mark.parametrize("shape", [(1, 1), (300, 7), (64, 1024)])
def test_written_mask_is_what_pillow_and_skimage_read(shape, tmp_path):
    mask = np.random.default_rng(1).random(shape) > 0.5
    write_mask(mask, tmp_path / "mask.png")
    with Image.open(tmp_path / "mask.png") as image:
        image.verify()  # checksums
        assert image.mode == "L"
    for read in (skimage.io.imread(tmp_path / "mask.png"), np.asarray(Image.open(tmp_path / "mask.png"))):
        np.testing.assert_array_equal(read, mask * 255)


def test_overlay_of_an_empty_mask_is_the_radiograph():
    image = np.arange(400, dtype=np.uint16).reshape(20, 20).astype(np.uint8)
    shown = np.asarray(overlay(image, np.zeros((20, 20), bool)).convert("RGB"))
    np.testing.assert_array_equal(shown, np.repeat(image[..., None], 3, axis=2))
