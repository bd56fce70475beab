"""Read the files of a ZIP archive or of a folder in the same way. An archive is never unpacked to disk."""

import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np

from cxrseg.data.read import arrays, images
from cxrseg.data.read.masks import read_mask


def existing(config_path: str, source: str, expected: str) -> Path:
    """Return ``data.path`` as a path that exists.

    Raises
    ------
    ValueError
        It is empty, or there is nothing.
    """
    if not config_path:
        raise ValueError(f"data.path is empty; the source {source} needs {expected}")
    path = Path(config_path).expanduser()
    if not path.exists():
        raise ValueError(f"{path}: there is no such file or folder; expected {expected}")
    return path


def list_files(path: Path) -> list[str]:
    """List what a ZIP archive or a folder holds.

    Parameters
    ----------
    path : Path
        The archive or the folder.

    Returns
    -------
    list of str
        Names relative to `path` with forward slashes, sorted. Hidden files and the metadata that
        macOS adds are left out.

    Raises
    ------
    ValueError
        A file that is empty, truncated or no ZIP; a member whose path climbs out of the archive, has backslashes
        or is there twice; a file whose name is not UTF-8.
    """
    if path.is_dir():
        names = [Path(folder, file).relative_to(path).as_posix() for folder, files in _walk(path) for file in files]
        for name in names:
            shown = os.fsencode(name).decode("utf-8", "backslashreplace")
            if shown != name:
                raise ValueError(f"{path}: the file name {shown} is not UTF-8; rename it")
    else:
        names = [member.filename for member in _archive(path).infolist() if not member.is_dir()]
        for name in names:
            # Nothing is unpacked here, but such an archive was made to do harm, so nothing in it is trusted.
            parts = PurePosixPath(name.replace("\\", "/")).parts
            if ".." in parts or parts[:1] == ("/",) or name[1:2] == ":":
                raise ValueError(f"{path}: member {name!r} climbs out of the archive; expected plain relative paths")
            if "\\" in name:
                raise ValueError(f"{path}: member {name!r} has backslashes for slashes; pack it with another program")
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"{path}: member {twice!r} is there twice; expected each name once")
    return sorted(name for name in names if not any(part.startswith((".", "__MACOSX")) for part in name.split("/")))


def _walk(folder: Path, above: frozenset = frozenset()) -> Iterator[tuple[Path, list[str]]]:
    """Yield each folder and its files. Links are followed, except those that lead back to a parent folder."""
    stat = folder.stat()
    if (stat.st_dev, stat.st_ino) in above:
        return
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    yield folder, [entry.name for entry in entries if not entry.is_dir()]
    for entry in entries:
        if entry.is_dir():
            yield from _walk(folder / entry.name, above | {(stat.st_dev, stat.st_ino)})


def radiograph(path: Path, name: str) -> np.ndarray:
    """Read one radiograph of an archive or folder, see `cxrseg.data.read.images.read_radiograph`."""
    return images.read_radiograph(_open(path, name), _label(path, name))


def spacing(path: Path, name: str) -> tuple[float, float] | None:
    """Return the spacing of a radiograph's pixels, see `cxrseg.data.read.images.pixel_spacing`."""
    return images.pixel_spacing(_open(path, name), _label(path, name))


def mask(path: Path, names: Mapping[str, str], values: tuple[int, ...] = ()) -> np.ndarray:
    """Read the mask of a structure from one file of an archive or folder, or from a file for each of its parts.

    Parameters
    ----------
    path : Path
    names : mapping of str to str
        The file of the structure, or the files of the structures whose union it is.
    values : tuple of int
        As for `cxrseg.data.read.masks.read_mask`.

    Returns
    -------
    numpy.ndarray
        (height, width) bool.
    """
    parts = [read_mask(_open(path, name), _label(path, name), part, values) for part, name in names.items()]
    if len({part.shape for part in parts}) > 1:
        raise ValueError(f"{path}: {' and '.join(names.values())} differ in size; expected masks of one image")
    return np.logical_or.reduce(parts)


def structures_named_in(path: Path, name: str, structures: Iterable[str]) -> list[str]:
    """Return the structures that a file holds by name, see `cxrseg.data.read.arrays.structures_named_in`."""
    return arrays.structures_named_in(_open(path, name), _label(path, name), structures)


def content(path: Path, name: str) -> bytes:
    """Return the content of a file of an archive or folder."""
    file = _open(path, name)
    return file if isinstance(file, bytes) else file.read_bytes()


def stream(path: Path, name: str) -> IO[bytes]:
    """Open a file of an archive or folder for reading, too long to be held in memory."""
    return (path / name).open("rb") if path.is_dir() else _archive(path).open(name)


def is_dicom(path: Path, name: str) -> bool:
    """Return whether a file has the signature of DICOM, whatever its name."""
    with stream(path, name) as file:
        return file.read(132)[128:] == b"DICM"


def _label(path: Path, name: str) -> str:
    return f"{path}/{name}"


def _open(path: Path, name: str) -> Path | bytes:
    if path.is_dir():
        return path / name
    archive = _archive(path)
    try:
        size = archive.getinfo(name).file_size
        if size > images.MAX_BYTES:
            raise ValueError(f"unpacks to {size:,} bytes, more than {images.MAX_BYTES:,}")
        return archive.read(name)
    except (KeyError, ValueError, RuntimeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{_label(path, name)}: cannot be read from the archive ({error})") from error


def _archive(path: Path) -> zipfile.ZipFile:
    # Reading the directory of 4,500 members takes as long as decoding 50 images, so each process does it once.
    # A forked process must not share the file position of its parent.
    try:
        stat = path.stat()
    except OSError as error:
        raise ValueError(f"{path}: cannot be opened ({error.strerror}); expected a ZIP archive") from error
    return _open_archive(path, stat.st_size, stat.st_mtime_ns, os.getpid())


@lru_cache(maxsize=2)
def _open_archive(path: Path, size: int, modified: int, process: int) -> zipfile.ZipFile:
    if size == 0:
        raise ValueError(f"{path}: the file is empty (0 bytes); expected a ZIP archive")
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        with path.open("rb") as file:
            truncated = file.read(4) == b"PK\x03\x04"
        problem = "a truncated or damaged ZIP archive, get it again" if truncated else "not a ZIP archive"
        raise ValueError(f"{path}: this is {problem} ({error})") from error
    except (OSError, NotImplementedError) as error:  # zipfile raises the latter for a kind of ZIP that it does not read
        raise ValueError(f"{path}: cannot be opened as a ZIP archive ({error})") from error
