"""Names are read as words."""

import pytest

from cxrseg.data.words import structure_named, unglued, words


@pytest.mark.parametrize(
    ("name", "expected"),
    [("leftMask_2", "left mask 2"), ("CXR_png", "cxr png"), ("Lung-Opacity", "lung opacity"), ("", "")],
)
def test_words(name, expected):
    assert words(name) == expected.split()


@pytest.mark.parametrize(
    ("said", "structure"),
    [
        ("left", "left_lung"),
        ("lung_right", "right_lung"),
        ("Lungs", "lungs"),
        ("lung opacity", ""),
        ("RightClavicle", "right_clavicle"),
        ("vessels", "vessels"),
    ],
)
def test_structure_in_words(said, structure):
    assert structure_named(words(said), {"vessels": "vessels"}) == structure


@pytest.mark.parametrize(
    ("word", "expected"),
    [("trainmasks", "train masks"), ("lungmask", "lung mask"), ("masks", "masks"), ("left", "left")],
)
def test_unglued(word, expected):
    assert unglued(word) == expected.split()
