"""Where numbers come from: code, versions, machine and time."""

import hashlib
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cxrseg import paths

PACKAGES = ("keras", "tensorflow-cpu", "tensorflow", "jax", "torch", "numpy", "scipy", "pandas", "scikit-image")

CODE = ("cxrseg", "workflow", "experiments", "benchmarks", "tools", "notebooks", "studies", "Snakefile")
"""Files and folders of the checkout that numbers depend on."""


def record(**details) -> dict:
    """Return what numbers come from: code, versions, machine, time, and the `details` given."""
    from cxrseg import hardware

    return {
        **commit(),
        "cxrseg": version("cxrseg"),
        "code": code_fingerprint(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES if _installed(name)},
        "hardware": hardware.describe(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **details,
    }


def commit() -> dict:
    """Return the git commit of the checkout and whether files differ from it; unknown without git.

    Published numbers do not count as changes, because they are made from everything else. Untracked files count only
    where they lie among the code and the studies.
    """
    try:
        folder = paths.root()
        head = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "diff", "--name-only", "HEAD", "--", ".", ":!book/published")
        added = _git(folder, "ls-files", "--others", "--exclude-standard", "--", *CODE)
        return {"commit": head, "dirty": bool(changed or added)}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": "unknown", "dirty": False}


def code_fingerprint() -> str:
    """Return a digest of this package's source files, which identifies a copy without git as well."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False
