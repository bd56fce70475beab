"""The RSUA chest X-ray dataset (Wahyuningrum et al., doi 10.1016/j.dib.2023.109640, CC BY 4.0), 292 cases.

Layout: ``…/{Covid,Non_Covid,Non_Covid_Pneumonia}/{images,masks}/*.bmp``. The same pixels lie there as NPY,
which is not read. Patients are not identified: patient-level separation cannot be promised.
"""

import re
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from cxrseg import paths
from cxrseg.config import DataConfig
from cxrseg.data.cases import About, Case, plain
from cxrseg.data.pairing import Image, check_known, pair, sample_cases
from cxrseg.data.read import archive

ABOUT = About(
    "292",
    "CC BY 4.0",
    "cxrseg fetch rsua",
    "probably drawn by a U-Net and corrected by physicians, which flatters U-Nets",
)
LISTING = "https://data.mendeley.com/public-api/datasets/2jg8vfdmpm/files?folder_id=root&version=1"
"""Where the publisher lists the files of the dataset (doi 10.17632/2jg8vfdmpm.1)."""

SIZE = 34_738_327
"""Length of the validated archive in bytes, which tells it from others, should several names fit."""

ARCHIVE = "rsua-validated.zip"
"""Name of the archive in the cache."""

# The trap of this dataset: Non_Covid are the normal chests. A name may be the beginning of another one, so the
# longest name comes first, and the first that fits decides.
_LABELS = {"noncovidpneumonia": "Non-COVID", "noncovid": "Normal", "covid": "COVID"}
_KINDS = {"image": "images", "images": "images", "mask": "masks", "masks": "masks"}
_LAYOUT = "…/{Covid,Non_Covid,Non_Covid_Pneumonia}/{images,masks}/*.bmp"
_EXPECTED = f"the RSUA archive or its unpacked folder ({_LAYOUT})"


def cases(config: DataConfig) -> list[Case]:
    """List the cases of RSUA.

    Image and mask are paired by class folder and by the last number in their names, as the rest of the
    names differs (``Non_Covid_12.bmp`` and ``Non_Covid_12_mask.bmp``).

    Parameters
    ----------
    config : DataConfig
        `path` names the ZIP or its unpacked folder; where it is empty the archive is taken from the cache,
        after `fetch` where it is not there yet. `cases_per_class` and `seed` are used; `structures` can only
        be lungs.

    Returns
    -------
    list of Case
        In the order of class folder and file name.

    Raises
    ------
    ValueError
        No such data, another structure, an unknown class, or too few cases of a class.
    ConnectionError
        The archive had to be fetched and could not be.
    """
    check_known("data.structures (source rsua)", config.structures, ["lungs"])
    if config.path:
        path = archive.existing(config.path, "rsua", _EXPECTED)
    else:
        path = paths.cache() / ARCHIVE
        path = path if path.is_file() else fetch()
    found: list[Image] = []
    masks: dict[tuple[str, int], list[str]] = {}
    for name in map(PurePosixPath, archive.list_files(path)):
        numbers = re.findall(r"\d+", name.stem)
        if name.suffix.lower() != ".bmp" or len(name.parts) < 3 or not numbers:
            continue
        *_, folder, kind, _ = name.parts
        label = next((label for start, label in _LABELS.items() if plain(folder).startswith(start)), None)
        key = (folder, int(numbers[-1]))
        if label is None:
            continue
        match _KINDS.get(kind.casefold()):
            case "images":
                found.append(Image(key, label, f"{folder}/{name.name}", str(name)))
            case "masks":
                masks.setdefault(key, []).append(str(name))
    if not found:
        raise ValueError(f"{path}: holds no image of RSUA; expected {_EXPECTED}")
    return sample_cases(
        pair(path, found, {"lungs": masks}, f"{_LAYOUT}, one image and one mask of each number"), config
    )


def fetch(listing_url: str = LISTING, folder: Path | None = None) -> Path:
    """Download the validated archive of RSUA (35 MB), checked against the publisher's size and SHA-256.

    An interrupted download goes on at the next call; an archive that is already there is only checked.

    Parameters
    ----------
    listing_url : str
        Where the publisher lists the files: JSON rows with ``filename`` and, in ``content_details``,
        ``size``, ``sha256_hash`` and ``download_url``.
    folder : Path, optional
        Where the archive goes; by default `cxrseg.paths.cache`.

    Returns
    -------
    Path
        The archive.

    Raises
    ------
    ConnectionError
        The publisher cannot be reached, or the download broke off.
    ValueError
        The listing has no such file, or what came is not what it lists.
    """
    import requests

    from cxrseg.data.sources.download import TIMEOUT, download

    by_hand = "download it by hand from https://doi.org/10.17632/2jg8vfdmpm.1, then: cxrseg run paper --data FILE"
    headers = {"Accept": "application/vnd.mendeley-public-dataset.1+json"}
    try:
        answer = requests.get(listing_url, headers=headers, timeout=TIMEOUT)
        answer.raise_for_status()
        details = {str(row["filename"]): row["content_details"] for row in answer.json()}
    except (requests.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{listing_url}: the answer is not the publisher's list of files; {by_hand}") from error
    except requests.RequestException as error:
        raise ConnectionError(f"{listing_url}: the publisher cannot be reached ({error}); {by_hand}") from error
    rows = [row for filename, row in details.items() if fnmatch(filename.lower(), "*validated*.zip")]
    if len(rows) > 1:
        rows = [row for row in rows if row.get("size") == SIZE]
    if len(rows) != 1:
        listed = ", ".join(details) or "nothing"
        raise ValueError(f"{listing_url}: lists {listed}; expected one file named *validated*.zip; {by_hand}")
    try:
        url, size, sha256 = rows[0]["download_url"], int(rows[0]["size"]), rows[0]["sha256_hash"].lower()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{listing_url}: the archive's row has no usable {error}; {by_hand}") from error
    return download(url, (folder or paths.cache()) / ARCHIVE, size, sha256)
