"""Cut the excerpt that the book's numbers come from out of the whole archive of COVID-QU-Ex, by name.

    python tools/excerpt.py archive.zip covid-qu-ex-1500.zip

The files are copied as they are; ``excerpt.csv`` says which.
"""

import argparse
import sys
import zipfile
from pathlib import Path, PurePosixPath

CASES = Path(__file__).with_name("excerpt.csv")
"""Part, class and file name of each case, a line each."""

FOLDERS = ("images", "lung masks", "infection masks")


def members(cases: list[str]) -> set[str]:
    """Return the ends of the names of all members that belong to the cases, infection part."""
    split = [case.rsplit("/", 1) for case in cases]
    return {f"Infection Segmentation Data/{place}/{folder}/{file}" for place, file in split for folder in FOLDERS}


def cut(archive: Path, target: Path, cases: list[str]) -> None:
    """Copy the images and masks of the cases into a new archive, which appears whole.

    Raises
    ------
    ValueError
        A member is missing: this is another archive, or another release of it.
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
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    try:
        cut(options.archive, options.target, CASES.read_text().splitlines())
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        sys.exit(f"error: {error}")
    print(f"{options.target}: {options.target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
