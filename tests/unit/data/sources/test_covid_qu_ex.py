"""COVID-QU-Ex: its files become the right cases. The tests make every archive and folder."""

from collections import Counter

import pytest
from samples import config, mask_column, quex_members, unpacked
from support import SHARED, archive, rsua_members

from cxrseg.data.sources import covid_qu_ex, rsua

QUEX = SHARED / "covid-qu-ex-1500.zip"


@pytest.mark.parametrize("root", ["", "Infection Segmentation Data/", "archive/Infection Segmentation Data/x/"])
@pytest.mark.parametrize("build", [archive, unpacked])
def test_quex_layout_wherever_its_root_lies(tmp_path, build, root):
    path = build(tmp_path / "quex", quex_members(root))
    listed = covid_qu_ex.cases(config("covid_qu_ex", path, structures=["lungs", "infection"]))
    assert Counter(case.label for case in listed) == {"COVID": 6, "Non-COVID": 6, "Normal": 6}
    assert len({case.case_id for case in listed}) == 18
    case = next(case for case in listed if case.case_id == "Train/Non-COVID/Non-COVID (3).png")
    assert case.image()[0, 0] == 13
    assert list(case.masks) == ["lungs", "infection"]
    assert mask_column(case) == [3] and mask_column(case, "infection") == []
    sick = next(case for case in listed if case.label == "COVID")
    assert mask_column(sick, "infection") == [7]


def test_quex_structures(tmp_path):
    path = archive(tmp_path / "q.zip", quex_members())
    listed = covid_qu_ex.cases(config("covid_qu_ex", path, structures=["infection"]))
    assert {tuple(case.masks) for case in listed} == {("infection",)}
    with pytest.raises(ValueError, match=r"data\.structures .*: unknown 'infections', did you mean infection"):
        covid_qu_ex.cases(config("covid_qu_ex", path, structures=["infections"]))


def test_quex_full_download_uses_its_infection_part(tmp_path):
    lung_part = {
        name.replace("Infection", "Lung", 1): content
        for name, content in quex_members().items()
        if "infection masks" not in name
    }
    path = archive(tmp_path / "q.zip", quex_members() | lung_part)
    listed = covid_qu_ex.cases(config("covid_qu_ex", path))
    assert len(listed) == 18
    # Of the lung part alone the lungs can be had.
    assert len(covid_qu_ex.cases(config("covid_qu_ex", archive(tmp_path / "lung.zip", lung_part)))) == 18


def test_quex_twice_in_one_folder_is_ambiguous(tmp_path):
    for copy in ("a", "b"):
        unpacked(tmp_path / copy, quex_members())
    with pytest.raises(ValueError, match="2 places"):
        covid_qu_ex.cases(config("covid_qu_ex", tmp_path))


def test_quex_missing_mask_concerns_one_case(tmp_path):
    members = quex_members()
    del members["Infection Segmentation Data/Val/Normal/lung masks/Normal (1).png"]
    listed = covid_qu_ex.cases(config("covid_qu_ex", archive(tmp_path / "q.zip", members)))
    bad = []
    for case in listed:
        try:
            case.masks["lungs"]()
        except ValueError as error:
            bad.append(str(error))
    assert len(listed) == 18 and len(bad) == 1
    assert "Val/Normal/images/Normal (1).png: its lungs mask is missing" in bad[0]


def test_the_other_datasets_archive_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no image of RSUA"):
        rsua.cases(config("rsua", archive(tmp_path / "q.zip", quex_members())))
    with pytest.raises(ValueError, match="no such data"):
        covid_qu_ex.cases(config("covid_qu_ex", archive(tmp_path / "r.zip", rsua_members({"Covid": 2}))))


@pytest.mark.real
@pytest.mark.skipif(not QUEX.is_file(), reason="the COVID-QU-Ex excerpt is not here")
def test_real_quex():
    listed = covid_qu_ex.cases(config("covid_qu_ex", QUEX, structures=["lungs", "infection"]))
    assert Counter(case.label for case in listed) == {"COVID": 750, "Non-COVID": 375, "Normal": 375}
    for case in listed[::150]:
        image, lungs, infection = case.image(), case.masks["lungs"](), case.masks["infection"]()
        assert image.shape == lungs.shape == infection.shape == (256, 256)
        assert 0.05 < lungs.mean() < 0.6
        assert infection.any() == (case.label == "COVID")
    asked = {"COVID": 207, "Non-COVID": 53, "Normal": 32}
    assert (
        Counter(case.label for case in covid_qu_ex.cases(config("covid_qu_ex", QUEX, cases_per_class=asked))) == asked
    )
