"""A copy of the checkout without its runs, in which commands are timed without touching those of the checkout."""

import shutil
import subprocess
import sys
from pathlib import Path

from cxrseg import paths

PARTS = (
    *("cxrseg", "notebooks", "studies", "experiments", "book", "profiles", "workflow"),
    *("Snakefile", "_config.yml", "_toc.yml"),
)


def copy(folder: Path) -> None:
    """Copy what a study and its report need into an empty folder."""
    for part in PARTS:
        source = paths.root() / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__", "executed"))
        else:
            shutil.copy(source, folder / part)


def call(folder: Path, module: str, *arguments: str) -> None:
    """Call a module of the package in a copy of the checkout.

    Raises
    ------
    RuntimeError
        The call failed.
    """
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)} failed: {' '.join(done.stderr.split())}")
