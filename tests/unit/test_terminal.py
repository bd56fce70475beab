import pytest
import typer
from typer.testing import CliRunner

import cxrseg
from cxrseg.cli import app
from cxrseg.terminal import label_values, plain_errors, say_segmented


def test_version_is_that_of_the_package():
    assert CliRunner().invoke(app, ["--version"]).stdout == f"cxrseg {cxrseg.__version__}\n"


def test_segmented_and_failed_files_are_told_apart(tmp_path, capsys):
    results = [("a.png", {"file": "a.png", "warning": ""}), ("b.png", "is no picture"), ("c.png", "c.png: too small")]
    rows, failed = say_segmented(results, tmp_path)
    assert [row["file"] for row in rows] == ["a.png"]
    assert failed == ["b.png: is no picture", "c.png: too small"]
    assert "1 segmented, 0 with a warning" in capsys.readouterr().out


def test_file_name_in_an_error_commands_no_terminal(capsys):
    with pytest.raises(typer.Exit), plain_errors():
        raise ValueError("\x1b[2J\r\x07a \udc80.png: مرحبا 🫁 is no picture\nerror: another")
    said = capsys.readouterr().err
    assert all(line.isprintable() for line in said.splitlines())
    assert "مرحبا 🫁 is no picture\nerror: another" in said


def test_values_of_a_structure_are_given_once():
    assert label_values(["lungs=1,2", "heart=3"]) == {"lungs": [1, 2], "heart": [3]}
    with pytest.raises(ValueError, match="lungs is given twice"):
        label_values(["lungs=1", "lungs=2"])
