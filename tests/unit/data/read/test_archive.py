"""The files of an archive or a folder, and what is wrong with them."""

import os
import zipfile
from pathlib import Path

import pytest
from samples import config
from support import archive, mask, rsua_members

from cxrseg.data.read import archive as archives
from cxrseg.data.sources import covid_qu_ex, rsua


def test_links_that_lead_back_end(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").touch()
    for name in ("up", "again"):
        (tmp_path / "a" / name).symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)  # the same twice, but no loop
    assert archives.list_files(tmp_path) == ["a/1.png", "b/1.png"]


def test_file_name_that_is_no_text(tmp_path):
    (tmp_path / os.fsdecode(b"r\xf6ntgen.png")).touch()
    with pytest.raises(ValueError, match=r"r\\xf6ntgen.png is not UTF-8"):
        archives.list_files(tmp_path)


def test_archive_with_backslashes(tmp_path):
    path = archive(tmp_path / "a.zip", {"Covid\\images\\1.bmp": b"x"})
    with pytest.raises(ValueError, match="backslashes for slashes"):
        archives.list_files(path)


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


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_member_that_is_there_twice(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        for _ in range(2):
            file.writestr("Covid/images/1.bmp", b"x")
    with pytest.raises(ValueError, match="twice"):
        archives.list_files(path)


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
    monkeypatch.setattr(archives.images, "MAX_BYTES", 1000)
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
