"""Download a file of known size and SHA-256, and resume where an earlier attempt stopped."""

from pathlib import Path

import pooch
import requests
from tqdm import tqdm

TIMEOUT = 30
"""Seconds to wait for an answer, and between two pieces of it."""


def download(url: str, target: Path, size: int, sha256: str) -> Path:
    """Download `url` to `target`, unless a file with this checksum is already there.

    What has arrived is kept in ``<target>.<first digits of sha256>.part``, and a later call asks the
    server for the rest. `target` itself appears only once size and checksum agree.

    Parameters
    ----------
    url : str
        Address of the file.
    target : Path
        Where it goes; the folder is made where there is none.
    size : int
        Expected length, bytes.
    sha256 : str
        Expected checksum, hexadecimal.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    ConnectionError
        The server cannot be reached, refuses, or breaks off; call again to resume.
    ValueError
        It sends more than `size` bytes, or others than the checksum says. Nothing of them is kept.
    """
    part = target.with_name(f"{target.name}.{sha256[:8]}.part")

    def resume(url: str, output_file: str, _pooch: object) -> None:
        _fetch_rest(url, part, size)
        part.replace(output_file)  # from here pooch compares the checksum, then moves or deletes it

    try:
        pooch.retrieve(url, f"sha256:{sha256}", target.name, target.parent, downloader=resume)
    except requests.RequestException as error:
        raise ConnectionError(
            f"{url}: download broke off ({error}); run the command again, it goes on from there"
        ) from error
    except ValueError as error:
        if str(error).startswith(url):  # ours; pooch's own begins with the kind of checksum
            raise
        raise ValueError(
            f"{url}: the file's SHA-256 is not the publisher's {sha256}; nothing was kept, try again later"
        ) from error
    return target


def _fetch_rest(url: str, part: Path, size: int) -> None:
    """Append to `part` what it lacks of `size` bytes, or begin anew where the server cannot resume."""
    have = part.stat().st_size if part.exists() else 0
    if have == size:
        return
    # Without "identity" a server may compress, and the range would count compressed bytes.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if 0 < have < size else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == 416:  # it has no such range: what lies here is of another file
            part.unlink()
        answer.raise_for_status()
        resumed = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        have = have if resumed else 0
        with (
            part.open("ab" if resumed else "wb") as file,
            tqdm(
                total=size, initial=have, unit="B", unit_scale=True, desc=part.name.split(".")[0], disable=None
            ) as bar,
        ):
            for piece in answer.iter_content(1 << 13):  # small: an unfinished piece is lost
                have += len(piece)
                if have > size:
                    break
                file.write(piece)
                bar.update(len(piece))
    if have > size:
        part.unlink()
        raise ValueError(f"{url}: the server sends more than the {size:,} bytes that the publisher states")
    if have < size:
        raise requests.ConnectionError(f"{have:,} of {size:,} bytes arrived")
