"""Sets by the names that the command line gives them. That scores of two do not mix: `test_external`."""

import pytest

from cxrseg.data import sets


@pytest.mark.parametrize(
    ("on", "named"),
    [("here", "SOURCE:PATH"), ("phantom:x", "SOURCE:PATH"), ("folder:nowhere", "nowhere"), ("run:no", "no")],
)
def test_a_set_that_is_not_there_is_named(on, named, tmp_path, monkeypatch):
    monkeypatch.setattr("cxrseg.paths.runs", lambda: tmp_path)
    with pytest.raises((ValueError, FileNotFoundError), match=named):
        sets.parse(on)


def test_a_set_in_the_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "films").mkdir()
    assert sets.parse("folder:~/films") == ("folder", tmp_path / "films")
