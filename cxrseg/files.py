"""Write files and folders whole or not at all: a reader never sees half of one, and an interruption leaves none."""

import fcntl
import hashlib
import json
import os
import shlex
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name in its folder, then rename it into place.

    Parameters
    ----------
    path : Path
        The file; one that exists is replaced.
    write : callable
        Called with the temporary path, which has the suffix of `path`.
    """
    write_together({path: write})


def write_together(files: Mapping[Path, Callable[[Path], object]]) -> None:
    """Write several files as `write_whole` does. If one cannot be written, all stay as they were.

    Parameters
    ----------
    files : mapping of Path to callable
        What writes each file.
    """
    partial = {path: Path(path).with_name(f".partial-{Path(path).name}") for path in files}
    try:
        for path, write in files.items():
            write(partial[path])
        for path in files:
            partial[path].replace(path)
    finally:
        for left in partial.values():
            with suppress(OSError):  # its name may be too long even to look for it
                left.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole."""
    write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_json(path: Path, content: dict, indent: int = 1) -> None:
    """Write a JSON file whole, floats rounded to six significant digits.

    Raises
    ------
    ValueError
        A float is not a finite number.
    """
    write_text(path, json.dumps(rounded(content), indent=indent, allow_nan=False) + "\n")


def read_json(path: Path):
    """Return the content of a JSON file.

    Raises
    ------
    ValueError
        The file is damaged; the message names it.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: damaged ({error}); remove it, and make it again") from None


def read_csv(path: Path, **options):
    """Return a CSV file as a pandas DataFrame, read with these options of pandas.

    Raises
    ------
    ValueError
        The file is damaged; the message names it.
    """
    import pandas as pd  # takes a third of a second, and few who read a JSON file need it

    try:
        return pd.read_csv(path, **options)
    except ValueError as error:
        raise ValueError(f"{path}: damaged ({' '.join(str(error).split())}); remove it, and make it again") from None


@contextmanager
def locked(file: Path, what: str) -> Iterator:
    """Hold a lock file. It is released when every process that inherited it has ended.

    The file says who holds it, because the process may be one of another machine that shares the folder.

    Parameters
    ----------
    file : Path
        In a folder that exists.
    what : str
        What the lock protects, for the message.

    Raises
    ------
    RuntimeError
        Another process holds it.
    """
    # A command line may hold bytes that are not text.
    with open(file, "a+", encoding="utf-8", errors="backslashreplace") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read() or "unknown"
            raise RuntimeError(f"another process is at work on {what} ({holder}): wait for it, or stop it") from None
        lock.truncate(0)
        command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
        since = f"on {socket.gethostname()} since {datetime.now():%Y-%m-%d %H:%M}"
        lock.write(f"{command}, process {os.getpid()} {since}, or what it started")
        lock.flush()
        yield lock


def rounded(value):
    """Return what `write_json` makes of a value: floats of six significant digits, text keys, lists for tuples."""
    if isinstance(value, dict):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def write_csv(path: Path, table) -> None:
    """Write a pandas DataFrame as CSV, whole, floats rounded to five significant digits."""
    write_whole(path, lambda partial: table.to_csv(partial, index=False, float_format="%.5g"))


def state(path: Path) -> str:
    """Return a digest of the names, sizes and dates of a file or of all files in a folder; it changes when they do."""
    found = [(name, (stat := file.stat()).st_size, stat.st_mtime_ns) for name, file in _named(path)]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def digest(path: Path) -> str:
    """Return a digest of the names and contents of a file or of all files in a folder, whatever their dates are."""
    found = []
    for name, file in _named(path):
        with file.open("rb") as stream:
            found.append((name, hashlib.file_digest(stream, "sha256").hexdigest()))
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def walk(path: Path, onerror: Callable[[OSError], object] | None = None) -> list[Path]:
    """Return everything in a folder that is no folder, links that lead nowhere included, in the order of the names.

    Links to folders are followed, but not into a folder that is being walked.

    Parameters
    ----------
    path : Path
    onerror : callable, optional
        Called with the error of each folder that cannot be read; by default, nothing is said of it.
    """
    found: list[Path] = []
    above: set[str] = set()
    for folder, folders, names in os.walk(path, onerror=onerror, followlinks=True):
        above.add(os.path.realpath(folder))
        folders[:] = [name for name in folders if os.path.realpath(os.path.join(folder, name)) not in above]
        found += [Path(folder, name) for name in names]
    return sorted(found)


def _named(path: Path) -> list[tuple[str, Path]]:
    """Return a file, or all files in a folder, by their names within it."""
    files = [file for file in walk(path) if file.is_file()] if Path(path).is_dir() else [Path(path)]
    return [(file.relative_to(path).as_posix(), file) for file in files]


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to be filled; it takes the place of `folder` when the block ends without an error.

    What a killed process left of an earlier attempt is removed first. Killed between its last two steps, it has left
    the earlier folder under another name, which is put back.

    Parameters
    ----------
    folder : Path
        The folder to make; one that exists stays as it is until the new one is complete.
    """
    folder = Path(folder)
    # With a dot in front, so that neither is the folder of a data set called films.old.
    partial, old = (folder.with_name(f".{folder.name}.{kind}") for kind in ("partial", "old"))
    if old.exists() and not folder.exists():
        old.rename(folder)
    for left in (partial, old):
        shutil.rmtree(left, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
    finally:
        for left in (partial, old):
            shutil.rmtree(left, ignore_errors=True)
