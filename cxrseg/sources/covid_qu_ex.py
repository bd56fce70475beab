"""COVID-QU-Ex, infection part (Tahir et al., Kaggle ``anasmohammedtahir/covidqu``), from its ZIP or unpacked.

Layout: ``…/{Train,Val,Test}/{COVID-19,Non-COVID,Normal}/{images,lung masks,infection masks}/<same name>.png``.
Patients are not identified: patient-level separation cannot be promised.
"""

from pathlib import PurePosixPath

from cxrseg.config import DataConfig
from cxrseg.sources import Case, files
from cxrseg.sources.classes import class_name
from cxrseg.sources.pairing import Image, check_known, draw, pair

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
        `path` names the ZIP or a folder above ``Train``, ``Val``, ``Test``; `parts`, `structures`,
        `cases_per_class` and `seed` are used. The full download also holds a lung part without
        infection masks, whose images overlap: where both are there the infection part is taken.

    Returns
    -------
    list of Case
        In the order of part, class and file name.

    Raises
    ------
    ValueError
        No such data, an unknown part, structure or class, or too few cases of a class.
    """
    check_known("data.structures", config.structures, FOLDERS)
    check_known("data.parts", config.parts, PARTS)
    path = files.existing(config.path, "covid_qu_ex", _EXPECTED)
    listed: dict[PurePosixPath, dict[str, list[PurePosixPath]]] = {}
    for name in map(PurePosixPath, files.list_files(path)):
        root, *inner = (name.parents[3], *name.parts[-4:]) if len(name.parts) >= 4 else (None,)
        if inner and inner[0] in PARTS and inner[2] in {"images", *FOLDERS.values()} and name.suffix == ".png":
            listed.setdefault(root, {}).setdefault(inner[2], []).append(name)
    roots = [root for root, kinds in listed.items() if "infection masks" in kinds] or list(listed)
    if len(roots) != 1:
        problem = f"the data lie in {len(roots)} places ({', '.join(map(str, roots))})" if roots else "no such data"
        raise ValueError(f"{path}: {problem}; expected {_EXPECTED}")
    kinds = listed[roots[0]]
    present = {name.parts[-4] for name in kinds.get("images", [])}
    wanted = set(config.parts) or present
    if not present or wanted - present:
        lacking = ", ".join(sorted(wanted - present)) or "images"
        raise ValueError(f"{path}: has no {lacking} (parts here: {', '.join(sorted(present)) or 'none'})")

    def key(name: PurePosixPath) -> tuple[str, str, str]:
        return name.parts[-4], name.parts[-3], name.name

    found = [
        Image(key(name), class_name(name.parts[-3]), "/".join(key(name)), str(name))
        for name in kinds["images"]
        if name.parts[-4] in wanted
    ]
    masks = {
        structure: {key(name): [str(name)] for name in kinds.get(FOLDERS[structure], [])}
        for structure in config.structures
    }
    return draw(pair(path, found, masks, f"{_LAYOUT} with the same name for image and masks"), config)
