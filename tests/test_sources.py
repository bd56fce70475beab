"""Sources list the right files as the right cases. Every archive and folder here is made by the test."""

import io
import os
import pickle
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrseg.config import DataConfig
from cxrseg.sources import Case, classes, covid_qu_ex, files, folder, pairing, rsua

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
QUEX = SHARED / "covid-qu-ex-1500.zip"
SAMPLE = SHARED / "rsua-sample"


def picture(value: int, kind: str = "BMP") -> bytes:
    """A small picture whose top left pixel is `value`, so that a test knows which one it has read."""
    grey = np.zeros((8, 8), np.uint8)
    grey[0, 0] = value
    file = io.BytesIO()
    Image.fromarray(grey).save(file, kind)
    return file.getvalue()


def mask(column: int, kind: str = "BMP") -> bytes:
    """A mask of one column, in grey levels."""
    grey = np.full((8, 8), 40, np.uint8)
    grey[:, column] = 220
    file = io.BytesIO()
    Image.fromarray(grey).save(file, kind)
    return file.getvalue()


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def unpacked(path: Path, members: dict[str, bytes]) -> Path:
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def config(source: str, path: Path | str, **options) -> DataConfig:
    return DataConfig(source=source, path=str(path), **options)


def rsua_members(counts: dict[str, int]) -> dict[str, bytes]:
    root, members = "Data Chest X-Ray RSUA (Validated)", {}
    for name, count in counts.items():
        for number in range(1, count + 1):
            members[f"{root}/{name}/images/{name}_{number}.bmp"] = picture(number)
            members[f"{root}/{name}/masks/{name}_{number}_mask.bmp"] = mask(number % 8)
            members[f"{root}/{name}/npy_images/{name}_{number}.npy"] = b"not read"
            members[f"{root}/{name}/npy_masks/{name}_{number}_mask.npy"] = b"not read"
    return members | {f"{root}/Split_Data_RSUA_Paths.xlsx": b"not read"}


def quex_members(root: str = "Infection Segmentation Data/") -> dict[str, bytes]:
    members = {}
    for part, count in {"Train": 3, "Val": 1, "Test": 2}.items():
        for index, name in enumerate(("COVID-19", "Non-COVID", "Normal")):
            for number in range(1, count + 1):
                where = f"{root}{part}/{name}"
                file = f"{name} ({number}).png"
                members[f"{where}/images/{file}"] = picture(10 * index + number, "PNG")
                members[f"{where}/lung masks/{file}"] = mask(number, "PNG")
                empty = picture(0, "PNG")
                members[f"{where}/infection masks/{file}"] = mask(7, "PNG") if index == 0 else empty
    return members


def mask_column(case: Case, structure: str = "lungs") -> list[int]:
    return np.flatnonzero(case.masks[structure]()[0]).tolist()


# RSUA

RSUA_CLASSES = {"Covid": "COVID", "Non_Covid": "Normal", "Non_Covid_Pneumonia": "Non-COVID"}


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


# COVID-QU-Ex


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


def test_quex_parts_and_structures(tmp_path):
    path = archive(tmp_path / "q.zip", quex_members())
    listed = covid_qu_ex.cases(config("covid_qu_ex", path, parts=["Val", "Test"]))
    assert Counter(case.case_id.split("/")[0] for case in listed) == {"Test": 6, "Val": 3}
    assert {tuple(case.masks) for case in listed} == {("lungs",)}
    listed = covid_qu_ex.cases(config("covid_qu_ex", path, structures=["infection"]))
    assert {tuple(case.masks) for case in listed} == {("infection",)}
    for options, line in {
        ("parts", "train"): "data.parts: unknown 'train', did you mean Train",
        ("structures", "infections"): "data.structures: unknown 'infections', did you mean infection",
    }.items():
        with pytest.raises(ValueError, match=line):
            covid_qu_ex.cases(config("covid_qu_ex", path, **{options[0]: [options[1]]}))


def test_quex_part_that_is_not_there(tmp_path):
    members = {name: content for name, content in quex_members().items() if "/Train/" in name}
    with pytest.raises(ValueError, match=r"has no Test \(parts here: Train\)"):
        covid_qu_ex.cases(config("covid_qu_ex", archive(tmp_path / "q.zip", members), parts=["Train", "Test"]))


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


# A folder of one's own


@pytest.mark.parametrize(
    ("name", "label"),
    [
        *((name, "COVID") for name in ("COVID", "Covid", "covid-19", "COVID-19", "covid19", "SARS-CoV-2")),
        *((name, "Non-COVID") for name in ("Non-COVID", "non_covid", "Non Covid", "NONCOVID", "Non-COVID-19")),
        *((name, "Normal") for name in ("Normal", "NORMAL", "normal")),
        *((name, name) for name in ("Pneumonia", "Viral Pneumonia", "healthy", "Non_Covid_Pneumonia", "ward 3")),
    ],
)
def test_class_spellings(name, label):
    assert classes.class_name(name) == label


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


def test_links_that_lead_back_end(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").touch()
    for name in ("up", "again"):
        (tmp_path / "a" / name).symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)  # the same twice, but no loop
    assert files.list_files(tmp_path) == ["a/1.png", "b/1.png"]


def test_file_name_that_is_no_text(tmp_path):
    (tmp_path / os.fsdecode(b"r\xf6ntgen.png")).touch()
    with pytest.raises(ValueError, match=r"r\\xf6ntgen.png is not UTF-8"):
        files.list_files(tmp_path)


def test_archive_with_backslashes(tmp_path):
    path = archive(tmp_path / "a.zip", {"Covid\\images\\1.bmp": b"x"})
    with pytest.raises(ValueError, match="backslashes for slashes"):
        files.list_files(path)


def test_folder_follows_links(tmp_path):
    unpacked(tmp_path / "far", {"images/x.png": picture(1, "PNG"), "masks/x.png": mask(1, "PNG")})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "Normal").symlink_to(tmp_path / "far", target_is_directory=True)
    (case,) = folder.cases(config("folder", tmp_path / "mine"))
    assert case.label == "Normal" and mask_column(case) == [1]


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"pictures/a.png": b""}, "no images found; expected a folder with <class>/images/"),
        ({"images/a.webp": b""}, "no images found"),
        ({"images/a.png": b"", "masks/a.png": b"", "X/images/a.png": b"", "X/masks/a.png": b""}, "both by class and"),
        ({f"images/{stem}.png": b"" for stem in "abcde"}, r"5 without: images/a\.png, images/b\.png, images/c\.png, …"),
        (
            {f"{name}/{kind}/1.bmp": b"" for name in RSUA_CLASSES for kind in ("images", "masks")},
            "Non_Covid means Normal; expected data.source rsua",
        ),
    ],
)
def test_folder_that_is_none(tmp_path, members, problem):
    with pytest.raises(ValueError, match=problem) as caught:
        folder.cases(config("folder", unpacked(tmp_path, members)))
    assert "\n" not in str(caught.value)


def test_folder_must_be_one(tmp_path):
    path = archive(tmp_path / "a.zip", {"images/a.png": b""})
    for where, problem in {path: "this is a file", tmp_path / "none": "no such file", "": "data.path is empty"}.items():
        with pytest.raises(ValueError, match=problem):
            folder.cases(config("folder", where))


# Archives


def truncated(path: Path) -> None:
    whole = archive(path, rsua_members({"Covid": 3})).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: path.write_bytes(b""), r"empty \(0 bytes\)"),
        (lambda path: path.write_text("<html>not found</html>"), "not a ZIP archive"),
        (truncated, "truncated or damaged ZIP archive"),
        (lambda path: archive(path, {"../../etc/x.bmp": b""}), "climbs out"),
        (lambda path: archive(path, {"/etc/x.bmp": b""}), "climbs out"),
        (lambda path: archive(path, {"C:/x.bmp": b""}), "climbs out"),
        (lambda path: archive(path, {"a\\..\\x.bmp": b""}), "climbs out"),
        (lambda path: archive(path, {"photos/holiday.jpg": b""}), "holds no image of RSUA|no such data"),
        (lambda path: archive(path, {}), "holds no image of RSUA|no such data"),
        (lambda path: None, "no such file"),
    ],
)
@pytest.mark.parametrize("source", [rsua, covid_qu_ex])
def test_bad_archive_is_one_clear_line(tmp_path, source, make, problem):
    path = tmp_path / "data.zip"
    make(path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match=problem) as caught:
        source.cases(config(source.__name__.rsplit(".", 1)[1], path))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_the_other_datasets_archive_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no image of RSUA"):
        rsua.cases(config("rsua", archive(tmp_path / "q.zip", quex_members())))
    with pytest.raises(ValueError, match="no such data"):
        covid_qu_ex.cases(config("covid_qu_ex", archive(tmp_path / "r.zip", rsua_members({"Covid": 2}))))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_member_that_is_there_twice(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        for _ in range(2):
            file.writestr("Covid/images/1.bmp", b"x")
    with pytest.raises(ValueError, match="twice"):
        files.list_files(path)


def test_damaged_member_is_an_error_of_its_case(tmp_path):
    path = archive(tmp_path / "a.zip", rsua_members({"Covid": 2}))
    whole = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        name = next(name for name in file.namelist() if name.endswith("images/Covid_2.bmp"))
        start = file.getinfo(name).header_offset + 30 + len(name.encode())
    whole[start + 5 : start + 15] = bytes(10)
    path.write_bytes(whole)
    listed = rsua.cases(config("rsua", path))
    assert listed[0].image()[0, 0] == 1
    with pytest.raises(ValueError, match=r"Covid_2\.bmp: cannot be read from the archive"):
        listed[1].image()


def test_a_small_member_that_unpacks_to_gigabytes_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(files.images, "MAX_BYTES", 1000)
    path = archive(tmp_path / "a.zip", {"Covid/images/1.bmp": bytes(100_000), "Covid/masks/1.bmp": mask(1)})
    with pytest.raises(ValueError, match=r"1\.bmp: .*100,000 bytes"):
        rsua.cases(config("rsua", path))[0].image()


def test_what_a_mac_adds_to_an_archive_is_left_out(tmp_path):
    members = rsua_members({"Covid": 2})
    members |= {f"__MACOSX/{name.replace('Covid_', '._Covid_')}": b"" for name in members}
    members |= {"Data/Covid/images/._Covid_1.bmp": b""}
    assert len(rsua.cases(config("rsua", archive(tmp_path / "a.zip", members)))) == 2


def test_an_archive_replaced_in_place_is_read_anew(tmp_path):
    path = archive(tmp_path / "a.zip", rsua_members({"Covid": 2}))
    assert len(rsua.cases(config("rsua", path))) == 2
    archive(path, rsua_members({"Covid": 5}))
    assert len(rsua.cases(config("rsua", path))) == 5


@pytest.mark.parametrize("build", [archive, unpacked])
def test_cases_can_be_sent_to_another_process(tmp_path, build):
    listed = rsua.cases(config("rsua", build(tmp_path / "a", rsua_members({"Covid": 3}))))
    for case in pickle.loads(pickle.dumps(listed)):
        assert case.image().shape == case.masks["lungs"]().shape == (8, 8)


# Drawing


def made(counts: dict[str, int]) -> list[Case]:
    return [Case(f"{label}/{number}", label, list, {}) for label, count in counts.items() for number in range(count)]


def drawn(cases: list[Case], seed: int = 1, **numbers: int) -> list[str]:
    asked = {label.replace("_", "-"): number for label, number in numbers.items()}
    return [case.case_id for case in pairing.draw(cases, DataConfig(cases_per_class=asked, seed=seed))]


def test_draw_is_without_replacement_stable_and_by_seed():
    cases = made({"COVID": 50, "Non-COVID": 40, "Normal": 30})
    first = drawn(cases, COVID=20, Normal=30)
    assert Counter(name.split("/")[0] for name in first) == {"COVID": 20, "Normal": 30}
    assert len(set(first)) == 50
    assert first == drawn(cases, COVID=20, Normal=30)
    assert first != drawn(cases, seed=2, COVID=20, Normal=30)
    order = [case.case_id for case in cases]
    assert first == sorted(first, key=order.index)
    assert [case.case_id for case in pairing.draw(cases, DataConfig())] == order


def test_draw_of_one_class_does_not_depend_on_the_others_and_grows():
    cases = made({"COVID": 50, "Non-COVID": 40})
    assert set(drawn(cases, COVID=9)) < set(drawn(cases, COVID=10, Non_COVID=3))
    assert drawn(cases[:50], COVID=9) == drawn(cases, COVID=9)


def test_draw_takes_every_case_equally_often():
    cases = made({"Normal": 10})
    taken = Counter(name for seed in range(600) for name in drawn(cases, seed=seed, Normal=3))
    # Binomial, 600 draws at 0.3: mean 180, standard deviation 11.
    assert len(taken) == 10 and all(abs(count - 180) < 45 for count in taken.values())


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"COVID": 6}, r"^data\.cases_per_class: 6 cases of COVID asked for; expected at most 5$"),
        ({"COVID-19": 1}, r"^data\.cases_per_class: unknown 'COVID-19', did you mean COVID\?"),
        ({"normal": 1}, "did you mean Normal"),
        ({"xyz": 1}, r"unknown 'xyz'; expected some of COVID, Normal$"),
    ],
)
def test_draw_that_cannot_be(asked, line):
    with pytest.raises(ValueError, match=line):
        pairing.draw(made({"COVID": 5, "Normal": 5}), DataConfig(cases_per_class=asked))


def test_every_source_draws(tmp_path):
    asked = {"cases_per_class": {"COVID": 2}}
    assert len(rsua.cases(config("rsua", archive(tmp_path / "r.zip", rsua_members({"Covid": 4})), **asked))) == 2
    assert len(covid_qu_ex.cases(config("covid_qu_ex", archive(tmp_path / "q.zip", quex_members()), **asked))) == 2
    members = {f"covid/{kind}/{stem}.png": b"" for stem in "abc" for kind in ("images", "masks")}
    assert len(folder.cases(config("folder", unpacked(tmp_path / "f", members), **asked))) == 2


# Real radiographs


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
