"""The excerpt of COVID-QU-Ex is cut out of the whole archive by name."""

import zipfile
from collections import Counter

import excerpt
import pandas as pd
import pytest
from support import ROOT


def test_the_excerpt_is_cut_out_by_name(tmp_path):
    root = "COVID-QU-Ex/Infection Segmentation Data/Train/Normal"
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as whole:
        for number in (1, 2, 3):
            for kind in excerpt.FOLDERS:
                whole.writestr(f"{root}/{kind}/Normal ({number}).png", f"{kind} {number}")
        whole.writestr("Lung Segmentation Data/Lung Segmentation Data/Train/Normal/images/Normal (1).png", "another")
    cases = ["Train/Normal/Normal (1).png", "Train/Normal/Normal (3).png"]
    excerpt.cut(tmp_path / "whole.zip", tmp_path / "part.zip", cases)
    with zipfile.ZipFile(tmp_path / "part.zip") as part:
        content = {name: part.read(name).decode() for name in part.namelist()}
    inside = "Infection Segmentation Data/Train/Normal"
    assert content == {
        f"{inside}/{kind}/Normal ({number}).png": f"{kind} {number}" for number in (1, 3) for kind in excerpt.FOLDERS
    }
    with pytest.raises(ValueError, match=r"3 of 3 members are missing.*Normal \(4\)"):
        excerpt.cut(tmp_path / "whole.zip", tmp_path / "no.zip", ["Train/Normal/Normal (4).png"])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["part.zip", "whole.zip"]


@pytest.mark.parametrize(("part", "n"), [("development", 1500), ("confirmation", 1000)])
def test_a_part_has_half_covid_and_a_quarter_of_each_other_class(part, n):
    cases = excerpt.PARTS[part].read_text().splitlines()
    assert Counter(case.split("/")[1] for case in cases) == {"COVID-19": n / 2, "Non-COVID": n / 4, "Normal": n / 4}
    assert len(set(cases)) == n


def test_no_case_of_one_part_is_in_the_other():
    assert not set.intersection(*(set(file.read_text().splitlines()) for file in excerpt.PARTS.values()))


def test_the_development_part_names_the_cases_that_were_scored():
    cases = excerpt.PARTS["development"].read_text().splitlines()
    for name in ("best", "infection"):
        scores = pd.read_csv(ROOT / "book" / "published" / f"{name}.csv", dtype=str)
        assert set(scores["case_id"]) <= set(cases)


def test_the_confirmation_part_names_the_cases_that_were_scored():
    scores = pd.read_csv(ROOT / "book" / "published" / "confirmation.csv", dtype=str)
    assert set(scores["case_id"]) == set(excerpt.PARTS["confirmation"].read_text().splitlines())
