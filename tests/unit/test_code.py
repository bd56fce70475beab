"""The shape of the code: style, types, imports that point downward, and rooms that a reader can take in."""

import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

BIN = Path(sys.executable).parent
PACKAGE = ROOT / "cxrseg"
MODULES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = sorted({module.parent for module in MODULES})


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["lint-imports", "--no-cache"]],
    ids=" ".join,
)
def test_checker_is_content(command):
    program, *arguments = command
    if not (BIN / program).is_file():
        pytest.skip(f"{program} is not installed (extra dev)")
    done = subprocess.run([BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_folder_can_be_taken_in(folder):
    assert len(list(folder.glob("*.py"))) <= 12


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_module_can_be_read_in_one_sitting(module):
    assert len(module.read_text().splitlines()) <= 300


def test_unit_tests_mirror_the_package():
    covered = {  # by whole runs, rendered pages, the command line, and test_named.py
        "cli", "terminal", "paths", "workflow", "provenance", "parallel", "report/book",
        "report/cases", "report/codemeta", "report/figures", "report/matrix",
        *(f"report/pages/{name}" for name in ("atlas", "external", "threshold", "tryit")),
        *(f"data/sources/{name}" for name in ("chexmask", "darwin", "jsrt", "montgomery", "shenzhen", "table")),
    }  # fmt: skip
    for module in MODULES:
        place = module.relative_to(PACKAGE).with_suffix("")
        if place.name == "__init__" or place.parts[0] == "phantom" or str(place) in covered:
            continue
        assert (ROOT / "tests" / "unit" / place.parent / f"test_{place.name}.py").is_file(), place
