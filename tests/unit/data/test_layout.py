"""Names are read as words, and files become images with masks (see also sources/test_habits.py)."""

from cxrseg.data.layout import discover


def masks(*names, structures=("lungs",)):
    return {found.name: dict(found.masks) for found in discover(names, structures)}


def test_a_class_is_no_structure_and_a_structure_no_class():
    found = discover(
        [
            "Lung_Opacity/images/Lung_Opacity-1.png",
            "Lung_Opacity/masks/Lung_Opacity-1.png",
            "Normal/images/Normal-1.png",
        ],
        ["lungs"],
    )
    assert [(one.label, dict(one.masks)) for one in found] == [
        ("Lung_Opacity", {"": ["Lung_Opacity/masks/Lung_Opacity-1.png"]}),
        ("Normal", {}),
    ]


def test_a_mask_whose_name_is_an_image_goes_to_that_image():
    """``x_left`` is here an image of its own, and not the left lung of ``x``."""
    found = masks("images/x.png", "images/x_left.png", "masks/x.png", "masks/x_left.png")
    assert found == {"images/x.png": {"": ["masks/x.png"]}, "images/x_left.png": {"": ["masks/x_left.png"]}}


def test_masks_elsewhere_are_taken_only_where_one_image_fits():
    found = masks("images/A/1.png", "images/B/1.png", "images/B/2.png", "masks/1.png", "masks/2.png")
    assert found == {"images/A/1.png": {}, "images/B/1.png": {}, "images/B/2.png": {"": ["masks/2.png"]}}


def test_unknown_structure_is_read_if_it_is_asked_for():
    names = ("images/x.png", "masks/vessels/x.png", "masks/lungs/x.png")
    assert masks(*names, structures=["vessels"])["images/x.png"] == {
        "lungs": ["masks/lungs/x.png"],
        "vessels": ["masks/vessels/x.png"],
    }


def test_classes_with_numbers_are_no_patients():
    names = [f"{folder}/images/{k}.png" for folder in ("class1", "class2") for k in range(3)]
    assert {(one.label, one.group) for one in discover(names, ["lungs"])} == {("class1", None), ("class2", None)}
    names = [f"{folder}/images/{k}.png" for folder in ("0", "1") for k in range(3)]
    assert {(one.label, one.group) for one in discover(names, ["lungs"])} == {("0", None), ("1", None)}


def test_masks_elsewhere_are_not_taken_across_classes_or_patients():
    names = ("COVID/masks/10.png", "COVID/images/11.png", "Normal/images/10.png", "Normal/masks/12.png")
    assert masks(*names) == {"COVID/images/11.png": {}, "Normal/images/10.png": {}}
    names = ("train/images/1.png", "test/images/5.png", "train/masks/5.png", "train/masks/1.png")
    assert masks(*names)["test/images/5.png"] == {}


def groups(*names):
    return [(one.label, one.group) for one in discover(names, ["lungs"])]


def test_studies_and_series_of_a_patient_are_no_patients_and_no_classes():
    names = [
        f"{p}/{s}/{kind}/1.png"
        for p in ("p001", "p002")
        for s in ("s50414260", "s5041426")
        for kind in ("images", "masks")
    ]
    assert groups(*names) == [("all", "p001")] * 2 + [("all", "p002")] * 2
    names = [
        f"train/patient0000{p}/study{s}/view1_{kind}.png" for p in (1, 2) for s in (1, 2) for kind in ("image", "mask")
    ]
    assert groups(*names) == [("all", "patient00001")] * 2 + [("all", "patient00002")] * 2


def test_one_mask_is_not_given_to_two_images():
    assert masks("images/img_1.png", "images/scan_1.png", "masks/mask_1.png") == {
        "images/img_1.png": {},
        "images/scan_1.png": {},
    }


def test_folders_that_all_files_share_say_nothing():
    found = masks("Chest Xray Masks and Labels/data/CXR_png/1.png", "Chest Xray Masks and Labels/data/masks/1_mask.png")
    assert list(found.values()) == [{"": ["Chest Xray Masks and Labels/data/masks/1_mask.png"]}]
    assert masks("Lung Segmentation/1.png", "Lung Segmentation/1_mask.png") == {
        "Lung Segmentation/1.png": {"": ["Lung Segmentation/1_mask.png"]}
    }


def test_what_stands_above_masks_alone_is_their_structure():
    names = [f"{kind}/{k}.png" for kind in ("images", "heart/masks", "ribs/masks", "lungs/masks") for k in range(2)]
    for one in discover(names, ["lungs"]):
        number = one.name.rpartition("/")[2]
        assert one.masks == {part: [f"{part}/masks/{number}"] for part in ("heart", "ribs", "lungs")}
    for folder in ("masks/final", "masks/Smith", "expert/masks", "COVID/masks", "P001/masks", "ribs/masks"):
        # Many folders say nothing. What an unknown word means is known only beside others.
        (one,) = discover(["images/a.png", f"{folder}/a.png"], ["lungs"])
        assert one.masks == {"": [f"{folder}/a.png"]}, folder
