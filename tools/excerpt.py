"""Extract a part of COVID-QU-Ex from the whole archive: ``python tools/excerpt.py archive.zip development target.zip``.

The files of a part are listed in ``development.csv`` and ``confirmation.csv``, and copied unchanged.
"""

import argparse
import sys
import zipfile
from pathlib import Path, PurePosixPath

PARTS = {name: Path(__file__).with_name(f"{name}.csv") for name in ("development", "confirmation")}
"""Files with part, class and file name of each case, one case per line."""

FOLDERS = ("images", "lung masks", "infection masks")


def members(cases: list[str]) -> set[str]:
    """Return the last five path components of all members of the cases."""
    split = [case.rsplit("/", 1) for case in cases]
    return {f"Infection Segmentation Data/{place}/{folder}/{file}" for place, file in split for folder in FOLDERS}


def cut(archive: Path, target: Path, cases: list[str]) -> None:
    """Copy the images and masks of the cases to a new archive, which is created atomically.

    Raises
    ------
    ValueError
        A member is missing, because this is another archive or another release.
    """
    wanted, partial = members(cases), target.with_name(f"partial-{target.name}")
    with zipfile.ZipFile(archive) as whole:
        found = {"/".join(PurePosixPath(name).parts[-5:]): name for name in whole.namelist()}
        if missing := sorted(wanted - set(found)):
            raise ValueError(f"{archive}: {len(missing)} of {len(wanted)} members are missing, first {missing[0]!r}")
        try:
            with zipfile.ZipFile(partial, "w") as excerpt:
                for name in sorted(wanted):
                    excerpt.writestr(zipfile.ZipInfo(name), whole.read(found[name]))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=Path, help="the archive as its publisher hands it out, a ZIP")
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    try:
        cut(options.archive, options.target, PARTS[options.part].read_text().splitlines())
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        sys.exit(f"error: {error}")
    print(f"{options.target}: {options.target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
