"""Folders as people have them: each habit is read right to the pixel, or refused in one line."""

import io
import re
import unicodedata

import numpy as np
import pytest
from pictures import dicom, saved
from PIL import Image
from samples import config, unpacked
from scipy.ndimage import gaussian_filter
from skimage.draw import ellipse
from support import archive

from cxrseg.data.prepare import read
from cxrseg.data.sources import find_cases

SHAPE = (96, 80)
NUMBERS = (1, 2, 3)


def lung(k, side):
    """Return one lung of case k; the right lung is on the left of the picture."""
    mask = np.zeros(SHAPE, bool)
    mask[ellipse(46 + 2 * k, 22 if side == "right" else 58, 30, 10 + k)] = True
    return mask


def both(k):
    return lung(k, "right") | lung(k, "left")


def heart():
    mask = np.zeros(SHAPE, bool)
    mask[50:70, 38:43] = True
    return mask


def png(values):
    return saved(Image.fromarray(np.asarray(values).astype(np.uint8)), "PNG")


def image(k, kind="PNG"):
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return saved(Image.fromarray(((rows * k + columns) % 200 + 20).astype(np.uint8)), kind)


def film(k):
    return dicom((np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE) % 3000 + k).astype(np.uint16))


def mask(k):
    return png(both(k) * 255)


def sides(*levels):
    return lambda k: png(lung(k, "right") * levels[0] + lung(k, "left") * levels[1])


def colours(right, left, background=(0, 0, 0)):
    def draw(k):
        pixels = np.empty((*SHAPE, len(background)))
        pixels[:] = background
        pixels[lung(k, "right")], pixels[lung(k, "left")] = right, left
        return png(pixels)

    return draw


def numpy_file(save, values):
    def write(k):
        file = io.BytesIO()
        save(file, values(k))
        return file.getvalue()

    return write


def gif(k):
    return saved(Image.fromarray(both(k).astype(np.uint8) * 255), "GIF")


def palette(k):
    labelled = Image.fromarray((lung(k, "right") + 2 * lung(k, "left")).astype(np.uint8), "P")
    labelled.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    return saved(labelled, "PNG")


def soft(k):
    return png(gaussian_filter(both(k) * 255.0, 0.8))


def jpeg(k):
    return saved(Image.fromarray(both(k).astype(np.uint8) * 255), "JPEG", quality=90)


def twice_as_large(k):
    return png(np.kron(both(k), np.full((2, 2), 255)))


def right(k):
    return png(lung(k, "right") * 255)


def left(k):
    return png(lung(k, "left") * 255)


def files(*patterns, numbers=NUMBERS):
    """Return the members of a folder from pairs of a file name, with {k} for the number, and what writes the file."""
    return {name.format(k=k): write(k) for k in numbers for name, write in patterns}


PLAIN = ("images/{k}.png", image)
CLASSES = {"COVID": (1,), "Normal": (2, 3)}


def by_class(*patterns, classes=CLASSES):
    return {
        name.format(k=k, c=label): write(k)
        for label, numbers in classes.items()
        for k in numbers
        for name, write in patterns
    }


LABELS = {1: "COVID", 2: "Normal", 3: "Normal"}
PATIENTS = {1: "P01", 2: "P02", 3: "P02"}
HABITS = {
    # Names
    "as documented": files(PLAIN, ("masks/{k}.png", mask)),
    "_mask": files(PLAIN, ("masks/{k}_mask.png", mask)),
    "-mask": files(PLAIN, ("masks/{k}-mask.png", mask)),
    "mask_": files(PLAIN, ("masks/mask_{k}.png", mask)),
    "_seg": files(PLAIN, ("masks/{k}_seg.png", mask)),
    "_label": files(PLAIN, ("labels/{k}_label.png", mask)),
    "image_ and mask_": files(("images/image_{k}.png", image), ("masks/mask_{k}.png", mask)),
    "_image and _mask": files(("images/{k}_image.png", image), ("masks/{k}_mask.png", mask)),
    "other case": files(("Images/Film_{k}.PNG", image), ("Masks/FILM_{k}.png", mask)),
    "other Unicode form": files(
        ("images/" + unicodedata.normalize("NFC", "Ärztin-{k}.png"), image),
        ("masks/" + unicodedata.normalize("NFD", "Ärztin-{k}.png"), mask),
    ),
    "Image and Mask": files(("Image/{k}.png", image), ("Mask/{k}.png", mask)),
    "img and label": files(("img/{k}.png", image), ("label/{k}.png", mask)),
    "imgs and labels": files(("imgs/{k}.jpg", lambda k: image(k, "JPEG")), ("labels/{k}.png", mask)),
    "CXR_png and ManualMask": files(
        ("CXR_png/{k}.png", image), ("ManualMask/leftMask/{k}.png", left), ("ManualMask/rightMask/{k}.png", right)
    ),
    "images above masks": files(("{k}.png", image), ("masks/{k}.png", mask)),
    "one folder, _mask": files(("{k}.png", image), ("{k}_mask.png", mask)),
    "one images folder, _mask": files(PLAIN, ("images/{k}_mask.png", mask)),
    "one folder, _left and _right": files(("{k}.png", image), ("{k}_left.png", left), ("{k}_right.png", right)),
    "one folder, left_lung_mask": files(
        ("{k}.png", image), ("{k}_left_lung_mask.png", left), ("{k}_right_lung_mask.png", right)
    ),
    "one folder, JPEG and PNG": files(("{k}.jpg", lambda k: image(k, "JPEG")), ("{k}.png", mask)),
    "one folder, DICOM and NPY": files(("{k}.dcm", film), ("{k}.npy", numpy_file(np.save, both))),
    "DICOM without a suffix": files(("images/IM{k}", film), ("masks/IM{k}.png", mask)),
    "DICOM named by UID": files(("images/1.2.840.10008.{k}", film), ("masks/1.2.840.10008.{k}.png", mask)),
    "files that are neither": files(PLAIN, ("masks/{k}.png", mask)) | {"readme.txt": b"", "images/Thumbs.db": b""},
    "nnU-Net": files(("imagesTr/case_{k}_0000.png", image), ("labelsTr/case_{k}.png", mask)),
    "Pascal VOC": files(("JPEGImages/{k}.jpg", lambda k: image(k, "JPEG")), ("SegmentationClass/{k}.png", mask)),
    "Ground-truths": files(PLAIN, ("Ground-truths/mask_{k}.png", mask)),
    "images2 and masks2": files(("images2/{k}.png", image), ("masks2/{k}.png", mask)),
    "resized_masks": files(("resized_images/{k}.png", image), ("resized_masks/{k}.png", mask)),
    "trainmasks": files(("trainimages/{k}.png", image), ("trainmasks/{k}.png", mask)),
    "My Images (2)": files(("My Images (2)/{k}.png", image), ("My Masks (2)/{k}.png", mask)),
    "inside a folder called masks": files(
        ("lungs and masks/CXR_png/{k}.png", image), ("lungs and masks/masks/{k}.png", mask)
    ),
    # Structures
    "masks/L and R": files(PLAIN, ("masks/L/{k}.png", left), ("masks/R/{k}.png", right)),
    "masks/left and right": files(PLAIN, ("masks/left/{k}.png", left), ("masks/right/{k}.png", right)),
    "masks by structure": files(
        PLAIN,
        ("masks/left_lung/{k}.png", left),
        ("masks/right_lung/{k}.png", right),
        ("masks/heart/{k}.png", lambda k: png(np.ones(SHAPE))),
    ),
    "left lung and right lung": files(PLAIN, ("left lung/{k}.png", left), ("right lung/{k}.png", right)),
    "masks and masks_infection": files(
        PLAIN, ("masks/{k}.png", mask), ("masks_infection/{k}.png", lambda k: png(np.zeros(SHAPE)))
    ),
    "lung masks": files(PLAIN, ("lung masks/{k}.png", mask)),
    # Layouts
    "class folders": by_class(("{c}/images/{k}.png", image), ("{c}/masks/{k}.png", mask)),
    "images/<class>": by_class(("images/{c}/{k}.png", image), ("masks/{c}/{k}.png", mask)),
    "train above the class": by_class(("train/{c}/images/{k}.png", image), ("train/{c}/masks/{k}.png", mask)),
    "test below the class": by_class(("{c}/test/images/{k}.png", image), ("{c}/test/masks/{k}.png", mask)),
    "images/train/<class>": by_class(("images/train/{c}/{k}.png", image), ("masks/train/{c}/{k}.png", mask)),
    "train_images": files(("train_images/{k}.png", image), ("train_masks/{k}.png", mask)),
    "classes of images alone": by_class(("images/{c}/{k}.png", image), ("masks/{k}.png", mask)),
    "class folders without images": by_class(("{c}/{k}.png", image), ("{c}/masks/{k}.png", mask)),
    "inside another folder": by_class(("data/{c}/images/{k}.png", image), ("data/{c}/masks/{k}.png", mask)),
    "a folder per patient": by_class(
        ("{c}/film{k}.png", image), ("{c}/film{k}_mask.png", mask), classes={"P01": (1,), "P02": (2, 3)}
    ),
    "images/<patient>": by_class(
        ("images/{c}/{k}.png", image), ("masks/{c}/{k}.png", mask), classes={"P01": (1,), "P02": (2, 3)}
    ),
    "patients inside classes": {
        f"{LABELS[k]}/{PATIENTS[k]}/{kind}{k}.png": write(k)
        for k in NUMBERS
        for kind, write in (("image", image), ("mask", mask))
    },
    # Kinds of mask
    "1 bit": files(PLAIN, ("masks/{k}.png", lambda k: saved(Image.fromarray(both(k)), "PNG"))),
    "0 and 1": files(PLAIN, ("masks/{k}.png", lambda k: png(both(k)))),
    "label map 1, 2": files(PLAIN, ("masks/{k}.png", sides(1, 2))),
    "label map 85, 170": files(PLAIN, ("masks/{k}.png", sides(85, 170))),
    "label map 255, 128": files(PLAIN, ("masks/{k}.png", sides(255, 128))),
    "red": files(PLAIN, ("masks/{k}.png", colours((255, 0, 0), (255, 0, 0)))),
    "red and green": files(PLAIN, ("masks/{k}.png", colours((255, 0, 0), (0, 255, 0)))),
    "alpha": files(PLAIN, ("masks/{k}.png", colours((9, 99, 9, 255), (9, 99, 9, 255), (9, 99, 9, 0)))),
    "palette": files(PLAIN, ("masks/{k}.png", palette)),
    "GIF": files(PLAIN, ("masks/{k}.gif", gif)),
    "anti-aliased": files(PLAIN, ("masks/{k}.png", soft)),
    "JPEG": files(PLAIN, ("masks/{k}.jpg", jpeg)),
    "NPY": files(PLAIN, ("masks/{k}.npy", numpy_file(np.save, both))),
    "NPY of 3 axes": files(PLAIN, ("masks/{k}.npy", numpy_file(np.save, lambda k: both(k)[None, ..., None] * 1.0))),
    "NPZ": files(PLAIN, ("masks/{k}.npz", numpy_file(np.savez_compressed, both))),
    "other size": files(PLAIN, ("masks/{k}.png", twice_as_large)),
}  # fmt: skip
CLOSE = {"JPEG", "anti-aliased"}
"""Habits that do not keep each pixel of the mask."""


@pytest.mark.parametrize("build", ["folder", "zip"])
@pytest.mark.parametrize("habit", HABITS)
def test_habit_is_read(tmp_path, capsys, habit, build):
    members = HABITS[habit]
    path = archive(tmp_path / "a.zip", members) if build == "zip" else unpacked(tmp_path / "a", members)
    cases = find_cases(config("folder", path))
    assert len(cases) == len(NUMBERS)
    for case in cases:
        k = int(re.findall("[123]", case.case_id)[-1])
        _, (mask,), _ = read(case, ["lungs"])
        if habit in CLOSE:
            assert np.mean(mask != both(k)) < 0.005
        else:
            np.testing.assert_array_equal(mask, both(k))
        names = " ".join(members)
        assert case.label == (LABELS[k] if "COVID" in names else "all")
        assert case.group == (PATIENTS[k] if "P01" in names else None)
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "3 images" in said


def picture(k):
    return saved(Image.effect_noise(SHAPE[::-1], 60), "PNG")


WRONG = {
    "swapped": (files(("images/{k}.png", mask), ("masks/{k}.png", picture)), "many grey levels, as a picture"),
    "inverted": (files(PLAIN, ("masks/{k}.png", lambda k: png(~both(k) * 255))), "is the mask inverted"),
    "three levels": (
        files(PLAIN, ("masks/{k}.png", lambda k: png(lung(k, "right") + 2 * lung(k, "left") + 3 * heart()))),
        r"3 levels \(1, 2, 3\).*--labels",
    ),
    "a dark colour for each structure": (
        files(
            PLAIN,
            (
                "masks/{k}.png",
                lambda k: png(np.stack([lung(k, s) * 100 for s in ("right", "left")] + [heart() * 100], -1)),
            ),
        ),
        "3 colours",
    ),
    "nearly one colour": (
        files(
            PLAIN,
            (
                "masks/{k}.png",
                lambda k: png(np.where(heart()[..., None], (255, 60, 60), both(k)[..., None] * (255, 0, 0))),
            ),
        ),
        "2 colours",
    ),
    "far smaller": (files(PLAIN, ("masks/{k}.png", lambda k: png(both(k)[::10, ::10]))), "far fewer"),
    "framed": (
        files(PLAIN, ("masks/{k}.png", lambda k: png(both(k) | ~np.pad(np.ones((90, 74), bool), 3)))),
        "covers the edges",
    ),
    "lungs and heart": (
        files(PLAIN, ("masks/{k}.png", lambda k: png(np.where(heart(), 128, 255 * both(k))))),
        r"2 levels \(128, 255\).*--labels",
    ),
    "other proportions": (
        files(PLAIN, ("masks/{k}.png", lambda k: png(both(k)[:50]))),
        "expected the same proportions",
    ),
    "stack": (
        files(PLAIN, ("masks/{k}.npy", numpy_file(np.save, lambda k: np.stack([both(k)] * 2)))),
        r"\(2, 96, 80\)",
    ),
    "pickle": (
        files(PLAIN, ("masks/{k}.npy", numpy_file(np.save, lambda k: np.array([{}], object)))),
        "cannot be decoded",
    ),
    "one of two sides": (
        files(PLAIN, ("masks/left/{k}.png", left)) | files(("masks/right/{k}.png", right), numbers=(3,)),
        "right_lung mask is missing",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_habit_is_refused_in_one_line(tmp_path, wrong):
    members, problem = WRONG[wrong]
    case = find_cases(config("folder", unpacked(tmp_path, members)))[0]
    with pytest.raises(ValueError, match=problem) as caught:
        read(case, ["lungs"])
    assert "\n" not in str(caught.value) and re.search("[123]|mask", str(caught.value))


def test_labels_name_the_values_of_each_structure(tmp_path):
    members = files(PLAIN, ("masks/{k}.png", lambda k: png(lung(k, "right") + 2 * lung(k, "left") + 3 * heart())))
    path = unpacked(tmp_path, members)
    labels = {"lungs": [1, 2], "right_lung": [1], "heart": [3]}
    case = find_cases(config("folder", path, structures=list(labels), labels=labels))[0]
    for structure, truth in {"lungs": both(1), "right_lung": lung(1, "right"), "heart": heart()}.items():
        np.testing.assert_array_equal(case.masks[structure](), truth)


def test_labels_of_a_palette_are_its_indices_and_colours_have_none(tmp_path):
    case = find_cases(
        config("folder", unpacked(tmp_path / "a", files(PLAIN, ("masks/{k}.png", palette))), labels={"lungs": [2]})
    )[0]
    np.testing.assert_array_equal(case.masks["lungs"](), lung(1, "left"))
    red_green = files(PLAIN, ("masks/{k}.png", colours((255, 0, 0), (0, 255, 0))))
    case = find_cases(config("folder", unpacked(tmp_path / "b", red_green), labels={"lungs": [1]}))[0]
    with pytest.raises(ValueError, match="in colours; expected a label map"):
        case.masks["lungs"]()


@pytest.mark.parametrize(("pattern", "groups"), [(r"^(p\d+)_", {"p7", "p8"}), (r"^(p)\d", {"p"}), ("", {None})])
def test_patient_in_the_file_name(tmp_path, pattern, groups):
    members = files(("images/p7_{k}.png", image), ("masks/p7_{k}.png", mask))
    members |= files(("images/p8_{k}.png", image), ("masks/p8_{k}.png", mask))
    cases = find_cases(config("folder", unpacked(tmp_path, members), patient=pattern))
    assert {case.group for case in cases} == groups


def test_patient_pattern_must_have_a_group(tmp_path):
    path = unpacked(tmp_path, files(PLAIN, ("masks/{k}.png", mask)))
    for pattern in ("p", "("):
        with pytest.raises(ValueError, match=r"data\.patient .*expected a regular expression with a group"):
            find_cases(config("folder", path, patient=pattern))


def test_one_lung_is_noted(tmp_path):
    case = find_cases(config("folder", unpacked(tmp_path, files(PLAIN, ("masks/{k}.png", left)))))[0]
    _, (mask,), notes = read(case, ["lungs"])
    np.testing.assert_array_equal(mask, lung(1, "left"))
    assert any("one lung" in note for note in notes)
