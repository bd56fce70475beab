"""What several tests share: a checkout of their own, and one tiny run in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"

TINY = [
    "--set", "data.cases_per_class={Normal: 8, COVID: 8, Non-COVID: 8}",
    "--set", "data.image_size=64",
    "--set", "train.input_size=64",
    "--set", "train.base_filters=4",
    "--set", "train.depth=3",
    "--set", "train.epochs=2",
    "--set", "evaluate.resamples=200",
]  # fmt: skip


def pytest_collection_modifyitems(items):
    """Put the fast tests first: a newcomer sees the first mistake in seconds."""
    items.sort(key=lambda item: any(item.get_closest_marker(mark) for mark in ("slow", "book", "browser")))


def cxrseg(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Call the command line as a person would, standing in a checkout."""
    command = [sys.executable, "-m", "cxrseg.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, env=os.environ | environment)


def copy_checkout(target: Path) -> Path:
    """Copy what a fresh clone has, without what was built."""
    ignore = shutil.ignore_patterns("__pycache__", "executed", "*.pyc")
    for name in ("cxrseg", "notebooks", "studies", "book", "profiles"):
        shutil.copytree(ROOT / name, target / name, ignore=ignore)
    for name in ("Snakefile", "_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, target / name)
    return target


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """Return a checkout whose runs are nobody else's."""
    return copy_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def tiny(checkout):
    """Return a finished run of the demo, as small as it gets, made by the command line."""
    done = cxrseg(checkout, "run", "demo", "--name", "tiny", *TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout / "runs" / "tiny"


@pytest.fixture(scope="session")
def exported(checkout, tiny):
    """Return the exported network of the tiny run, ``model.json`` beside it."""
    done = cxrseg(checkout, "export", "tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    return tiny / "model.onnx"


@pytest.fixture(scope="session")
def html(checkout, exported):
    """Return the rendered report of the tiny run."""
    done = cxrseg(checkout, "book", "tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout / "_build" / "html"


@pytest.fixture(scope="session")
def shared():
    """Return the folder of real radiographs, which most people do not have."""
    if not SHARED.is_dir():
        pytest.skip("the real radiographs of ../shared are not here")
    return SHARED
