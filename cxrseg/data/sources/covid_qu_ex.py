"""COVID-QU-Ex, infection part (Tahir et al., Kaggle ``anasmohammedtahir/covidqu``), from its ZIP or unpacked.

Layout: ``…/{Train,Val,Test}/{COVID-19,Non-COVID,Normal}/{images,lung masks,infection masks}/<same name>.png``.
Patients are not identified: patient-level separation cannot be promised.
"""

from pathlib import PurePosixPath

from cxrseg.config import DataConfig
from cxrseg.data.cases import About, Case, class_name
from cxrseg.data.pairing import Image, check_known, pair, sample_cases
from cxrseg.data.read import archive

ABOUT = About("5,826", "see its page", "download anasmohammedtahir/covidqu from Kaggle (needs an account)")
PARTS = ("Train", "Val", "Test")
FOLDERS = {"lungs": "lung masks", "infection": "infection masks"}
"""Structures, and the folders that hold their masks. An infection mask may be empty."""

_LAYOUT = "…/{Train,Val,Test}/{COVID-19,Non-COVID,Normal}/{images,lung masks,infection masks}/*.png"
_EXPECTED = f"the ZIP or unpacked folder of COVID-QU-Ex ({_LAYOUT})"


def cases(config: DataConfig) -> list[Case]:
    """List the cases of COVID-QU-Ex.

    Parameters
    ----------
    config : DataConfig
        `path` names the ZIP or a folder above ``Train``, ``Val``, ``Test``; `structures`, `cases_per_class`
        and `seed` are used. The full download also holds a lung part without infection masks, whose images overlap:
        where both are there, the infection part is taken.

    Returns
    -------
    list of Case
        In the order of part, class and file name.

    Raises
    ------
    ValueError
        No such data, an unknown structure or class, or too few cases of a class.
    """
    check_known("data.structures (source covid_qu_ex)", config.structures, FOLDERS)
    path = archive.existing(config.path, "covid_qu_ex", _EXPECTED)
    listed: dict[PurePosixPath, dict[str, list[PurePosixPath]]] = {}
    for name in map(PurePosixPath, archive.list_files(path)):
        if len(name.parts) < 4 or name.parts[-4] not in PARTS or name.suffix != ".png":
            continue
        if (kind := name.parts[-2]) in {"images", *FOLDERS.values()}:
            listed.setdefault(name.parents[3], {}).setdefault(kind, []).append(name)
    roots = [root for root, kinds in listed.items() if "infection masks" in kinds] or list(listed)
    if len(roots) != 1:
        problem = f"the data lie in {len(roots)} places ({', '.join(map(str, roots))})" if roots else "no such data"
        raise ValueError(f"{path}: {problem}; expected {_EXPECTED}")
    kinds = listed[roots[0]]
    if not kinds.get("images"):
        raise ValueError(f"{path}: has no images; expected {_EXPECTED}")

    def key(name: PurePosixPath) -> tuple[str, str, str]:
        return name.parts[-4], name.parts[-3], name.name

    found = [Image(key(name), class_name(name.parts[-3]), "/".join(key(name)), str(name)) for name in kinds["images"]]
    masks = {
        structure: {key(name): [str(name)] for name in kinds.get(FOLDERS[structure], [])}
        for structure in config.structures
    }
    return sample_cases(pair(path, found, masks, f"{_LAYOUT} with the same name for image and masks"), config)
