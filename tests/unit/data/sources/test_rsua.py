"""RSUA: its files become the right cases. The tests make every archive and folder."""

import shutil
from collections import Counter

import pytest
from samples import RSUA_CLASSES, config, mask_column, unpacked
from support import SHARED, archive, mask, picture, rsua_members

from cxrseg.data.sources import rsua

SAMPLE = SHARED / "rsua-sample"


@pytest.mark.parametrize("build", [archive, unpacked])
def test_rsua_lists_all_292_under_the_papers_class_names(tmp_path, build):
    path = build(tmp_path / "rsua", rsua_members({"Covid": 207, "Non_Covid": 32, "Non_Covid_Pneumonia": 53}))
    listed = rsua.cases(config("rsua", path))
    assert Counter(case.label for case in listed) == {"COVID": 207, "Normal": 32, "Non-COVID": 53}
    assert len({case.case_id for case in listed}) == 292
    for case in listed[::40]:
        name, number = case.case_id.removesuffix(".bmp").rsplit("_", 1)
        assert case.label == RSUA_CLASSES[name.split("/")[0]] and case.group is None
        assert case.image()[0, 0] == int(number)
        assert mask_column(case) == [int(number) % 8]


@pytest.mark.parametrize(
    ("image", "its_mask"),
    [
        ("Non_Covid_12.bmp", "Non_Covid_12_mask.bmp"),
        ("Non_Covid Images (12).bmp", "Non_Covid Mask (12).bmp"),
        ("NON_COVID_012.BMP", "non_covid_masks_12.bmp"),
        ("Covid19 Images 12.bmp", "Covid19 Mask 12.bmp"),
        ("12.bmp", "12.bmp"),
    ],
)
@pytest.mark.parametrize("kinds", [("images", "masks"), ("Images", "Mask"), ("IMAGES", "MASKS")])
def test_rsua_pairs_by_class_and_number(tmp_path, image, its_mask, kinds):
    members = {f"d/Non_Covid/{kinds[0]}/{image}": picture(1), f"d/Non_Covid/{kinds[1]}/{its_mask}": mask(3)}
    members |= {"d/Covid/images/12.bmp": picture(2), "d/Covid/masks/12.bmp": mask(4)}
    listed = rsua.cases(config("rsua", archive(tmp_path / "a.zip", members)))
    assert [(case.label, case.image()[0, 0], mask_column(case)) for case in listed] == [
        ("COVID", 2, [4]),
        ("Normal", 1, [3]),
    ]


def test_rsua_refuses_only_the_case_that_is_wrong(tmp_path):
    members = rsua_members({"Covid": 6})
    stem = "Data Chest X-Ray RSUA (Validated)/Covid"
    del members[f"{stem}/masks/Covid_2_mask.bmp"]
    members[f"{stem}/masks/other 3.bmp"] = mask(0)
    members[f"{stem}/images/again_4.bmp"] = picture(99)
    members[f"{stem}/images/Covid_5.bmp"] = picture(5)[:-30]
    listed = {case.case_id: case for case in rsua.cases(config("rsua", archive(tmp_path / "a.zip", members)))}
    assert len(listed) == 7
    for number, problem in {2: "mask is missing", 3: "2 lungs masks fit", 4: "again_4.bmp"}.items():
        with pytest.raises(ValueError, match=rf"Covid_{number}\.bmp: .*{problem}") as caught:
            listed[f"Covid/Covid_{number}.bmp"].masks["lungs"]()
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="ambiguous"):
        listed["Covid/again_4.bmp"].masks["lungs"]()
    with pytest.raises(ValueError, match=r"Covid_5\.bmp: cannot be decoded"):
        listed["Covid/Covid_5.bmp"].image()
    for number in (1, 6):
        assert mask_column(listed[f"Covid/Covid_{number}.bmp"]) == [number]


def test_rsua_without_any_mask_names_three(tmp_path):
    members = {name: content for name, content in rsua_members({"Covid": 5}).items() if "/masks/" not in name}
    with pytest.raises(ValueError, match=r"5 without: .*Covid_1\.bmp, .*Covid_2\.bmp, .*Covid_3\.bmp, …"):
        rsua.cases(config("rsua", archive(tmp_path / "a.zip", members)))


def test_rsua_knows_only_lungs(tmp_path):
    with pytest.raises(ValueError, match=r"data\.structures.*'lung', did you mean lungs"):
        rsua.cases(config("rsua", tmp_path, structures=["lung"]))


def test_rsua_takes_the_cached_archive_when_no_path_is_given(tmp_path, monkeypatch):
    monkeypatch.setattr(rsua.paths, "cache", lambda: tmp_path)
    monkeypatch.setattr(rsua, "fetch", lambda: archive(tmp_path / rsua.ARCHIVE, rsua_members({"Covid": 2})))
    assert len(rsua.cases(config("rsua", ""))) == 2
    monkeypatch.setattr(rsua, "fetch", lambda: pytest.fail("fetched again"))
    assert len(rsua.cases(config("rsua", ""))) == 2


@pytest.mark.real
@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the RSUA sample is not here")
def test_real_rsua_pair(tmp_path):
    for kind, name in {"images": "Non_Covid_12.bmp", "masks": "Non_Covid_12_mask.bmp"}.items():
        (tmp_path / "Non_Covid" / kind).mkdir(parents=True)
        shutil.copy(SAMPLE / name, tmp_path / "Non_Covid" / kind)
    (case,) = rsua.cases(config("rsua", tmp_path))
    image, lungs = case.image(), case.masks["lungs"]()
    assert case.label == "Normal" and image.shape == lungs.shape == (256, 256)
    assert 0.1 < lungs.mean() < 0.5 and image[lungs].mean() < image[80:180, 118:138].mean()
