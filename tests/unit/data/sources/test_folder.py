"""Anybody's folder: its files become the right cases."""

import io

import numpy as np
import pytest
from samples import RSUA_CLASSES, config, mask_column, unpacked
from support import SHARED, mask, picture

from cxrseg.data.sources import folder


def test_folder_with_classes_and_any_format(tmp_path):
    members = {
        "Covid-19/images/a.PNG": picture(1, "PNG"),
        "Covid-19/masks/a.bmp": mask(1),
        "Covid-19/images/b.jpeg": picture(2, "JPEG"),
        "Covid-19/masks/b.Png": mask(2, "PNG"),
        "Pneumonia/Images/a.tif": picture(3, "TIFF"),
        "Pneumonia/Masks/a.tiff": mask(3, "TIFF"),
        "Pneumonia/Masks/orphan.png": mask(4, "PNG"),
        "Pneumonia/images/.hidden.png": b"",
        "Pneumonia/images/Thumbs.db": b"",
        "notes/readme.txt": b"",
    }
    listed = folder.cases(config("folder", unpacked(tmp_path / "mine", members)))
    assert [(case.case_id, case.label, mask_column(case)) for case in listed] == [
        ("Covid-19/a.PNG", "COVID", [1]),
        ("Covid-19/b.jpeg", "COVID", [2]),
        ("Pneumonia/a.tif", "Pneumonia", [3]),
    ]
    assert listed[0].image()[0, 0] == 1 and listed[2].image()[0, 0] == 3


def test_arrays_in_one_file_are_of_the_structures_that_they_are_named_after(tmp_path):
    lungs, heart = np.zeros((2, 16, 16), np.uint8)
    lungs[2:14, 2:7], heart[6:12, 7:11] = 1, 1
    for name, arrays, there in (
        ("both", {"heart": heart, "lungs": lungs}, {"lungs", "heart"}),
        ("one", {"lungs": lungs}, {"lungs"}),
        ("unnamed", {"arr_0": lungs}, {"lungs"}),
    ):
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        path = unpacked(tmp_path / name, {"images/x.png": picture(1, "PNG"), "masks/x.npz": stream.getvalue()})
        if there == {"lungs"}:
            with pytest.raises(ValueError, match="no image has a mask of the heart"):
                folder.cases(config("folder", path, structures=["lungs", "heart"]))
        (case,) = folder.cases(config("folder", path, structures=sorted(there, reverse=True)))
        for structure in there:
            np.testing.assert_array_equal(case.masks[structure](), {"lungs": lungs, "heart": heart}[structure] > 0)


def test_folder_without_classes_and_with_two_structures(tmp_path):
    members = {
        "images/x.png": picture(1, "PNG"),
        "masks/x.png": mask(1, "PNG"),
        "masks_Heart/x.png": mask(5, "PNG"),
    }
    path = unpacked(tmp_path, members)
    (case,) = folder.cases(config("folder", path, structures=["lungs", "heart"]))
    assert (case.case_id, case.label) == ("x.png", "all")
    assert mask_column(case) == [1] and mask_column(case, "heart") == [5]
    (case,) = folder.cases(config("folder", path))
    assert list(case.masks) == ["lungs"]


def test_folder_carries_what_is_wrong_with_one_case(tmp_path):
    members = {}
    for stem in "abcd":
        members |= {f"images/{stem}.png": picture(1, "PNG"), f"masks/{stem}.png": mask(1, "PNG")}
    del members["masks/a.png"]
    members["masks/b.bmp"] = mask(2)
    members["images/c.bmp"] = picture(3)
    members["images/d.png"] = b"text named .png"
    listed = {case.case_id: case for case in folder.cases(config("folder", unpacked(tmp_path, members)))}
    for case_id, problem in {"a.png": "missing", "b.png": "2 lungs masks", "c.png": "c.bmp", "c.bmp": "c.png"}.items():
        with pytest.raises(ValueError, match=rf"images/{case_id}: .*{problem}"):
            listed[case_id].masks["lungs"]()
    with pytest.raises(ValueError, match=r"d\.png: this is not an image"):
        listed["d.png"].image()


def test_folder_follows_links(tmp_path):
    unpacked(tmp_path / "far", {"images/x.png": picture(1, "PNG"), "masks/x.png": mask(1, "PNG")})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "Normal").symlink_to(tmp_path / "far", target_is_directory=True)
    (case,) = folder.cases(config("folder", tmp_path / "mine"))
    assert case.label == "Normal" and mask_column(case) == [1]


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"pictures/a.webp": b""}, r"no images found among 1 \.webp; expected a folder or ZIP with <class>/images/"),
        ({"images/a.webp": b""}, "no images found"),
        (
            {"images/a.png": b"", "masks/a.png": b"", "X/images/a.png": b"", "X/masks/a.png": b""},
            "images lie at different depths",
        ),
        ({f"images/{stem}.png": b"" for stem in "abcde"}, r"5 without: images/a\.png, images/b\.png, images/c\.png, …"),
        (
            {f"{name}/{kind}/1.bmp": b"" for name in RSUA_CLASSES for kind in ("images", "masks")},
            "Non_Covid means Normal: use the source rsua",
        ),
    ],
)
def test_folder_that_is_none(tmp_path, members, problem):
    with pytest.raises(ValueError, match=problem) as caught:
        folder.cases(config("folder", unpacked(tmp_path, members)))
    assert "\n" not in str(caught.value)


def test_folder_must_be_there(tmp_path):
    (tmp_path / "a.txt").write_text("no archive")
    for where, problem in {tmp_path / "a.txt": "not a ZIP", tmp_path / "none": "no such file", "": "is empty"}.items():
        with pytest.raises(ValueError, match=problem):
            folder.cases(config("folder", where))


@pytest.mark.real
def test_jsrt_by_structure_is_read_as_it_is():
    path = SHARED / "jsrt-246.zip"
    if not path.is_file():
        pytest.skip("no radiographs under ../shared")
    cases = folder.cases(config("folder", path, structures=["lungs", "right_lung", "left_lung", "heart"]))
    assert len(cases) == 246 and {case.label for case in cases} == {"all"}
    for case in cases[::60]:
        lungs, right, left, heart = (case.masks[name]() for name in case.masks)
        assert (lungs == (right | left)).all() and heart.any()
        columns = [np.flatnonzero(mask.any(axis=0)).mean() for mask in (right, left)]
        assert columns[0] < columns[1]  # the patient's right is on the left of the picture
