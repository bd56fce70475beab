import pytest
import typer

from cxrseg.terminal import plain_errors


def test_file_name_in_an_error_commands_no_terminal(capsys):
    with pytest.raises(typer.Exit), plain_errors():
        raise ValueError("\x1b[2J\r\x07a \udc80.png: مرحبا 🫁 is no picture\nerror: another")
    said = capsys.readouterr().err
    assert all(line.isprintable() for line in said.splitlines())
    assert "مرحبا 🫁 is no picture\nerror: another" in said
