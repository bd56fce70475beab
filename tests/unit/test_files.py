"""Files and folders are written whole or not at all."""

import json

import pandas as pd
import pytest

from cxrseg.files import new_folder, write_csv, write_json, write_text, write_whole


def test_a_file_is_replaced_only_by_a_whole_one(tmp_path):
    file = tmp_path / "a.txt"
    write_text(file, "first")

    def broken(partial):
        partial.write_text("half")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write_whole(file, broken)
    assert file.read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_is_replaced_only_by_a_whole_one(tmp_path):
    folder = tmp_path / "data"
    with new_folder(folder) as partial:
        (partial / "one").touch()
    with pytest.raises(KeyboardInterrupt), new_folder(folder) as partial:
        (partial / "two").touch()
        raise KeyboardInterrupt
    assert [path.name for path in folder.iterdir()] == ["one"]
    with new_folder(folder) as partial:
        (partial / "two").touch()
    assert [path.name for path in folder.iterdir()] == ["two"]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_numbers_are_rounded_and_finite(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1 / 3, 2: [1e-9 / 3, True], "t": (1.0,)})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 0.333333, "2": [3.33333e-10, True], "t": [1.0]}
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text())["a"] == 0.333333
    write_csv(tmp_path / "a.csv", pd.DataFrame({"x": [1 / 3], "n": [7]}))
    assert (tmp_path / "a.csv").read_text() == "x,n\n0.33333,7\n"
