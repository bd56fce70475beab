"""Masks are looked at before they are believed."""

import numpy as np
import pytest
from pictures import planted, saved, tiff
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.draw import ellipse

from cxrseg.data.read.masks import MaskWarning, read_mask
from cxrseg.phantom import LABELS, phantom


def test_mask_is_cut_at_half_scale():
    levels = np.array([[0, 1, 127, 128, 200, 255]], np.uint8)
    expected = [[False, False, False, True, True, True]]
    assert read_mask(saved(Image.fromarray(levels), "PNG")).tolist() == expected
    assert read_mask(saved(Image.fromarray(levels.astype(np.uint16) * 257), "PNG")).tolist() == expected
    assert read_mask(tiff(levels.astype(np.float32) / 255)).tolist() == expected


@pytest.mark.parametrize("top", [1, 255])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_mask_of_two_values_however_stored(top, dtype):
    truth = planted() == 255
    np.testing.assert_array_equal(read_mask(tiff((truth * top).astype(dtype))), truth)


def test_empty_and_full_mask():
    assert not read_mask(saved(Image.new("L", (5, 4), 0), "PNG")).any()
    assert read_mask(saved(Image.new("L", (5, 4), 255), "PNG")).all()
    assert read_mask(saved(Image.new("1", (5, 4), 1), "PNG")).all()


def two_lungs(size=200):
    """Return two lungs as masks, the one on the left of the picture first."""
    right, left = np.zeros((2, size, size), bool)
    right[ellipse(100, 60, 60, 28)] = True
    left[ellipse(105, 140, 56, 25)] = True
    return right, left


def png(values):
    return saved(Image.fromarray(values.astype(np.uint8)), "PNG")


def in_colours(one, other):
    right, left = two_lungs()
    pixels = np.zeros((*right.shape, 3))
    pixels[right], pixels[left] = one, other
    return pixels


@pytest.mark.parametrize(("right_level", "left_level"), [(85, 170), (127, 255), (1, 2), (255, 128), (1, 255)])
def test_two_levels_side_by_side_are_the_two_lungs(right_level, left_level):
    right, left = two_lungs()
    levels = png(right * right_level + left * left_level)
    with pytest.warns(MaskWarning, match="two lungs"):
        np.testing.assert_array_equal(read_mask(levels), right | left)
    with pytest.raises(ValueError, match=r"^a\.png: this mask has 2 levels \(\d+, \d+\).*--labels heart=1,2"):
        read_mask(levels, "a.png", structure="heart")
    np.testing.assert_array_equal(read_mask(levels, structure="left_lung", values=(left_level,)), left)


def test_levels_that_are_no_lungs_are_refused_by_name():
    right, left = two_lungs()
    rows, columns = np.mgrid[:200, :200]
    heart = (np.hypot(rows - 120, columns - 100) < 20) & ~right & ~left
    inside = np.hypot(rows - 100, columns - 60) < 12
    for levels in ((right | left) * 255 - heart * 127, right * 1 + left * 2 + heart * 3, (right | left) * 1 + inside):
        with pytest.raises(ValueError, match=r"^a\.png: this mask has [23] levels"):
            read_mask(png(np.where(heart, 128, levels)), "a.png")


def test_a_label_map_of_1_bit_holds_0_and_1():
    right, left = two_lungs()
    data = saved(Image.fromarray(right | left), "PNG")
    np.testing.assert_array_equal(read_mask(data, values=(1,)), right | left)
    assert not read_mask(data, structure="heart", values=(255,)).any()


@pytest.mark.parametrize("step", [1, 20, 80])
def test_a_label_map_as_jpeg_is_refused(step):
    right, left = two_lungs()
    data = saved(Image.fromarray((step * (right + 2 * left)).astype(np.uint8)), "JPEG", quality=95)
    with pytest.raises(ValueError, match=r"^a\.jpg: JPEG changes the values of a label map"):
        read_mask(data, "a.jpg", values=(step, 2 * step))


@pytest.mark.parametrize("outside", [np.nan, np.inf])
def test_a_mask_with_what_is_no_number_is_refused(outside):
    right, left = two_lungs()
    with pytest.raises(ValueError, match=r"^a\.tif: holds NaN or infinity; expected a mask"):
        read_mask(tiff(np.where(right | left, 1, outside).astype(np.float32)), "a.tif")


def test_a_label_map_without_the_values_of_the_lungs_says_what_it_holds():
    right, left = two_lungs()
    with pytest.raises(ValueError, match=r"^a\.png: this label map holds 0, 128, 255; expected 1, 2 for the lungs"):
        read_mask(png(right * 128 + left * 255), "a.png", values=(1, 2))


def test_a_value_for_ignored_pixels_is_refused():
    right, left = two_lungs()
    values = np.where(np.arange(200)[:, None] < 5, 255, right | left)
    with pytest.raises(ValueError, match=r"2 levels \(1, 255\)"):
        read_mask(png(values), "a.png")


def test_two_colours_side_by_side_and_one_colour_are_read():
    right, left = two_lungs()
    with pytest.warns(MaskWarning, match="two colours"):
        np.testing.assert_array_equal(read_mask(png(in_colours((255, 0, 0), (0, 255, 0)))), right | left)
    three = in_colours((255, 0, 0), (0, 255, 0))
    three[90:115, 94:106] = 0, 0, 255
    with pytest.raises(ValueError, match="this mask has 3 colours"):
        read_mask(png(three), "a.png")
    for colour in ((255, 0, 0), (0, 200, 0), (255, 255, 255), (230, 230, 20)):
        np.testing.assert_array_equal(read_mask(png(in_colours(colour, colour))), right | left)


def test_a_mask_in_the_transparency_is_read():
    right, left = two_lungs()
    pixels = np.zeros((200, 200, 4))
    pixels[...] = 0, 114, 178, 0
    pixels[right | left, 3] = 255
    np.testing.assert_array_equal(read_mask(png(pixels)), right | left)


@pytest.mark.parametrize("level", [1, 100, 127, 255])
def test_one_level_of_any_brightness_is_a_mask(level):
    right, left = two_lungs()
    np.testing.assert_array_equal(read_mask(png((right | left) * level)), right | left)


def test_soft_edges_and_jpeg_noise_change_little():
    right, left = two_lungs()
    truth = right | left
    soft = gaussian_filter(truth * 255.0, 1.5)
    found = read_mask(png(soft))
    assert np.mean(found != truth) < 0.005
    for quality in (30, 75, 95):
        noisy = saved(Image.fromarray((truth * 255).astype(np.uint8)), "JPEG", quality=quality)
        assert np.mean(read_mask(noisy) != truth) < 0.005
        coloured = saved(Image.fromarray((truth * 255).astype(np.uint8)).convert("RGB"), "JPEG", quality=quality)
        assert np.mean(read_mask(coloured) != truth) < 0.005


def test_a_picture_is_no_mask():
    for setting in ("realistic", "randomised"):
        for k, label in enumerate(LABELS):
            with pytest.raises(ValueError, match=r"many grey levels, as a picture has|has \d+ levels"):
                read_mask(png(phantom(3, k, label, 200, setting).image), "a.png")
