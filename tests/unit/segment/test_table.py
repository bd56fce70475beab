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
    assert [Path(one["file"]) for one in read] == [Path("/films/a.png"), *map(Path, names)]
    assert not {one["file"][0] for one in read} & set("=+-@")


def test_a_relative_path_counts_from_the_folder_of_its_call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [row("film.png", os.getcwd()), row("film.png", "/elsewhere"), row(str(tmp_path / "b.png"))]
    assert table.others(rows, [Path("film.png"), Path("b.png")]) == [rows[1]]
    assert table.others(rows, [Path("/elsewhere/film.png")]) == [rows[0], rows[2]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text + "a note\r\n", "row 2"),
        (lambda text: text.replace("\r\n", ",checked\r\n"), "columns"),
        (lambda text: "\ufeff" + text, "columns"),
        (lambda text: text.replace(",", ";"), "columns"),
    ],
)
def test_a_table_that_somebody_changed_is_refused(tmp_path, change, said):
    table.write([row("/films/a.png")], tmp_path)
    file = tmp_path / table.NAME
    file.write_bytes(change(file.read_bytes().decode()).encode())
    with pytest.raises(ValueError, match=rf"segmentations\.csv: .*{said}.*another --out"):
        table.read(tmp_path)


def test_a_row_that_a_full_disk_cut_off_does_not_count(tmp_path):
    assert table.read(tmp_path) == []
    table.write([row("/films/a.png")], tmp_path)
    with open(tmp_path / table.NAME, "a") as file:
        file.write("/films/b.png,2")
    assert [one["file"] for one in table.read(tmp_path)] == ["/films/a.png"]
