"""The buttons that open a notebook elsewhere: there where the repository is public, and nowhere else."""

import os
import re
import shutil
import subprocess
import tomllib
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from support import ROOT, load_script

from cxrseg.report import book

launch = load_script("book/_ext/launch.py")


def checkout(folder, remote, branch="main"):
    folder.mkdir(exist_ok=True)
    git = ["git", "-C", folder, "-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    subprocess.run([*git, "init", "--quiet", "--initial-branch", branch], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "all: begin"], check=True)
    if remote:
        subprocess.run([*git, "remote", "add", "origin", remote], check=True)
    return folder


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("https://github.com/lab/lungs.git", ("github.com", "lab/lungs")),
        ("https://github.com/lab/lungs", ("github.com", "lab/lungs")),
        ("https://token@github.com/lab/lungs.v2.git", ("github.com", "lab/lungs.v2")),
        ("git@github.com:lab/lungs.git", ("github.com", "lab/lungs")),
        ("ssh://git@gitlab.com:22/group/sub/lungs.git", ("gitlab.com", "group/sub/lungs")),
        ("https://github.com.example.org/lab/lungs.git", None),
        ("https://git.example.org/github.com/lungs.git", None),
        ("/srv/git/lungs.git", None),
        ("", None),
    ],
)
def test_repository_is_read_from_the_remote(remote, expected, tmp_path):
    found = launch.repository(checkout(tmp_path / "here", remote))
    assert found == ((*expected, "main") if expected else None)


def test_a_folder_within_a_checkout_is_not_the_checkout(tmp_path):
    (checkout(tmp_path / "here", "https://github.com/lab/lungs") / "inner").mkdir()
    assert launch.repository(tmp_path / "here" / "inner") is None


def test_a_checkout_of_one_commit_is_named_by_it(tmp_path):
    here = checkout(tmp_path / "here", "https://github.com/lab/lungs")
    subprocess.run(["git", "-C", here, "checkout", "--quiet", "--detach"], check=True)
    assert re.fullmatch("[0-9a-f]{40}", launch.repository(here)[2])


@pytest.mark.parametrize("ref", ["main", "HEAD~1"])
def test_what_colab_is_told_takes_the_checkout_to_that_commit(ref, tmp_path, monkeypatch):
    here = checkout(checkout(tmp_path / "here", ""), "")
    commit = subprocess.run(["git", "-C", here, "rev-parse", ref], capture_output=True, text=True, check=True)
    monkeypatch.chdir(tmp_path)
    wanted = commit.stdout.strip() if "~" in ref else ref
    for line in launch.preparation(str(here), wanted)[:3]:
        os.chdir(line.removeprefix("%cd ")) if line.startswith("%cd") else subprocess.run(line[1:].split(), check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert head.stdout == commit.stdout


def test_names_with_slashes_stay_one_part_of_the_address():
    (binder,) = launch.buttons("gitlab.com", "group/sub/lungs", "try/this", "notebooks/01-data.ipynb")
    address = urlsplit(binder["url"])
    assert list(map(unquote, address.path.split("/"))) == ["", "v2", "gl", "group/sub/lungs", "try/this"]
    assert parse_qs(address.query) == {"urlpath": ["lab/tree/notebooks/01-data.ipynb"]}


@pytest.mark.book
@pytest.mark.parametrize("remote", ["git@github.com:lab/lungs.git", ""], ids=["public", "none"])
def test_pages_of_notebooks_have_buttons_where_the_repository_is_public(remote, tmp_path, monkeypatch):
    """A book of one page and one notebook."""
    checkout(tmp_path, remote, "topic")
    shutil.copytree(ROOT / "book" / "_ext", tmp_path / "book" / "_ext")
    shutil.copytree(ROOT / "book" / "_static", tmp_path / "book" / "_static")
    for name in ("Snakefile", "_config.yml", "notebooks/01-data.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    executed = tmp_path / "book" / "executed"
    (executed / "static").mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / "01-data.ipynb", executed)
    (tmp_path / "studies").mkdir()
    toc = {"format": "jb-book", "root": "book/index", "chapters": [{"file": "book/executed/01-data"}]}
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump(toc))
    (tmp_path / "book" / "index.md").write_text("# A book\n")
    (tmp_path / "book" / "references.bib").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(book, "stage", lambda name: None)
    pages = book.build("tiny").parent / "book"
    notebook = (pages / "executed" / "01-data.html").read_text()
    links = re.findall(r'href="(https://[^"]*)"', notebook.replace("&amp;", "&"))
    outside = [link for link in links if "binder" in link or "colab" in link]
    assert outside == (
        [
            "https://mybinder.org/v2/gh/lab/lungs/topic?urlpath=lab/tree/notebooks/01-data.ipynb",
            "https://colab.research.google.com/github/lab/lungs/blob/topic/notebooks/01-data.ipynb",
        ]
        if remote
        else []
    )
    assert ("git checkout --quiet topic" in notebook) == bool(remote)
    assert "mybinder" not in (pages / "index.html").read_text()


def test_binder_finds_a_python_that_fits_and_the_locked_packages():
    """The rules of repo2docker: `.binder` before the top level, and a version only from an exact pin."""
    settings = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text())
    (pin,) = [found[1] for line in settings["dependencies"] if (found := re.match(r"python\s*=+\s*([\d.]+)", line))]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert SpecifierSet(project["requires-python"]).contains(f"{pin}.0")
    script = ROOT / ".binder" / "postBuild"
    assert os.access(script, os.X_OK)
    assert (ROOT / re.search(r"--requirement (\S+)", script.read_text())[1]).is_file()
