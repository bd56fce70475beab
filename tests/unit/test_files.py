"""Files and folders are written whole or not at all."""

import json
import os

import pandas as pd
import pytest

from cxrseg.files import digest, new_folder, state, write_csv, write_json, write_text, write_whole


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


def test_a_folder_leaves_its_neighbours_alone(tmp_path):
    for name in ("films", "films.old", "films.partial", "films"):
        with new_folder(tmp_path / name) as partial:
            (partial / name).touch()
    assert sorted(path.name for path in tmp_path.rglob("*/*")) == ["films", "films.old", "films.partial"]


def test_a_folder_that_was_about_to_be_replaced_is_put_back(tmp_path):
    with new_folder(tmp_path / "data") as partial:
        (partial / "one").touch()
    (tmp_path / "data").rename(tmp_path / ".data.old")  # where a process was killed between its two last steps
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "data"):
        raise KeyboardInterrupt
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["one"]


def test_a_digest_tells_contents_and_names_and_no_dates(tmp_path):
    def made(folder, names=("a", "b"), content="x"):
        for name in names:
            (tmp_path / folder / "sub").mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / "sub" / name).write_text(content)
        return tmp_path / folder

    first, second = made("first"), made("second")
    os.utime(second / "sub" / "a", (1, 1))
    assert state(first) != state(second) and digest(first) == digest(second)
    assert digest(made("third", content="y")) != digest(first) != digest(made("fourth", names=("a", "c")))
    assert digest(first / "sub" / "a") == digest(second / "sub" / "a")


def test_numbers_are_rounded_and_finite(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1 / 3, 2: [1e-9 / 3, True], "t": (1.0,)})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 0.333333, "2": [3.33333e-10, True], "t": [1.0]}
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text())["a"] == 0.333333
    write_csv(tmp_path / "a.csv", pd.DataFrame({"x": [1 / 3], "n": [7]}))
    assert (tmp_path / "a.csv").read_text() == "x,n\n0.33333,7\n"
