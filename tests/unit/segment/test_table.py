"""The table of results is added to, and never lost or misread."""

import os
from pathlib import Path

import pytest

from cxrseg.segment import table


def row(file, folder=""):
    return dict.fromkeys(table.COLUMNS, "") | {"file": file, "mask": f"{Path(file).stem}-mask.png", "folder": folder}


def test_rows_come_back_as_they_were_added(tmp_path):
    table.write([row("/films/a.png")], tmp_path)
    names = ["=1+1.png", "-a.png", 'b,"\nc.png', "d\u2028e.png"]
    for name in names:
        table.add(row(name, "/films"), tmp_path)
    read = table.read(tmp_path)
    assert [Path(one["file"]) for one in read.values()] == [Path("/films/a.png"), *map(Path, names)]
    assert set(read) == {"/films/a.png", *(f"/films/{name}" for name in names)}
    assert not {one["file"][0] for one in read.values()} & set("=+-@")


def test_a_relative_path_counts_from_the_folder_of_its_call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table.write([row("film.png", os.getcwd()), row("film.png", "/elsewhere"), row(str(tmp_path / "b.png"))], tmp_path)
    assert list(table.read(tmp_path)) == [
        table.key(Path("film.png")), "/elsewhere/film.png", table.key(Path("b.png")),
    ]  # fmt: skip


def test_the_last_row_of_a_radiograph_counts(tmp_path):
    table.write([row("/films/a.png") | {"ctr": "0.4"}, row("/films/b.png")], tmp_path)
    table.add(row("/films/a.png") | {"ctr": 0.5}, tmp_path)
    assert {name: one["ctr"] for name, one in table.read(tmp_path).items()} == {
        "/films/a.png": "0.5", "/films/b.png": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text + "a note\r\n", "row 2"),
        (lambda text: text.replace("\r\n", ",checked\r\n"), "columns"),
        (lambda text: "\ufeff" + text, "columns"),
        (lambda text: text.replace(",", ";"), "columns"),
        (lambda text: "notes", "columns"),
        (lambda text: text + '"' + "x" * 200_000, "field"),
    ],
)
def test_a_table_that_somebody_changed_is_refused(tmp_path, change, said):
    table.write([row("/films/a.png")], tmp_path)
    file = tmp_path / table.NAME
    file.write_bytes(change(file.read_bytes().decode()).encode())
    with pytest.raises(ValueError, match=rf"segmentations\.csv: .*{said}.*another --out"):
        table.read(tmp_path)


def test_a_row_that_a_full_disk_cut_off_does_not_count(tmp_path):
    assert table.read(tmp_path) == {}
    table.write([row("/films/a.png"), row("/films/b.png")], tmp_path)
    file = tmp_path / table.NAME
    file.write_bytes(file.read_bytes().removesuffix(b"\r\n"))  # an editor did this: nothing is missing
    assert list(table.read(tmp_path)) == ["/films/a.png", "/films/b.png"]
    file.write_bytes(file.read_bytes()[:-5])
    assert list(table.read(tmp_path)) == ["/films/a.png"]


def test_what_a_killed_call_left_does_not_get_into_the_table(tmp_path):
    (tmp_path / f".partial-{table.NAME}").write_text("half of an earlier table")
    table.write([row("/films/a.png")], tmp_path)
    assert list(table.read(tmp_path)) == ["/films/a.png"]
    assert [file.name for file in tmp_path.iterdir()] == [table.NAME]
