"""Montgomery County, 138 radiographs of a tuberculosis screening.

Jaeger et al., Two public chest X-ray datasets for computer-aided screening of pulmonary diseases, Quant Imaging Med
Surg 4:475-477, 2014, doi 10.3978/j.issn.2223-4292.2014.11.20.

Layout: ``…/CXR_png/MCUCXR_0001_0.png`` and ``…/ManualMask/{leftMask,rightMask}/`` with the same names. The images have
4,020 x 4,892 pixels, or turned, of 12 bits and 0.0875 mm. The last digit of a name is 0 for normal and 1 for
tuberculosis. ``ClinicalReadings`` (sex, age, finding) is not read. Patients are not identified.
"""

from pathlib import Path, PurePosixPath

from cxrseg.config import DataConfig
from cxrseg.data.cases import About, Case
from cxrseg.data.pairing import Image, check_known, pair, sample_cases
from cxrseg.data.read import archive
from cxrseg.models import LUNGS

ABOUT = About(
    "138",
    "of the National Library of Medicine; cite Jaeger et al. 2014",
    "download MontgomerySet from data.lhncbc.nlm.nih.gov",
    "the lungs exclude what lies behind the heart; hidden borders were inferred",
)
FOLDERS = {"leftmask": "left_lung", "rightmask": "right_lung"}
FINDINGS = {"0": "Normal", "1": "Tuberculosis"}
"""Classes by the last digit of a name."""

_LAYOUT = "CXR_png/MCUCXR_*.png and ManualMask/{leftMask,rightMask}/"
_EXPECTED = f"the folder or ZIP of MontgomerySet ({_LAYOUT})"


def cases(config: DataConfig) -> list[Case]:
    """List the cases of the Montgomery County set.

    Parameters
    ----------
    config : DataConfig
        `path` names the folder or ZIP; `structures` (lungs, right_lung, left_lung), `cases_per_class` and `seed` are
        used.

    Returns
    -------
    list of Case
        By name.

    Raises
    ------
    ValueError
        No such data, an unknown structure or class, or too few cases of a class.
    """
    check_known("data.structures (source montgomery)", config.structures, ["lungs", *LUNGS])
    path = archive.existing(config.path, "montgomery", _EXPECTED)
    found: list[Image] = []
    masks: dict[str, dict[tuple, list[str]]] = {side: {} for side in LUNGS}
    for name in map(PurePosixPath, archive.list_files(path)):
        if name.suffix.lower() != ".png" or not name.stem.upper().startswith("MCUCXR_") or len(name.parts) < 2:
            continue
        if name.parent.name.casefold() == "cxr_png":
            found.append(Image((name.stem,), FINDINGS.get(name.stem[-1], "all"), name.stem, str(name)))
        elif side := FOLDERS.get(name.parent.name.casefold()):
            masks[side].setdefault((name.stem,), []).append(str(name))
    if not found:
        raise ValueError(f"{path}: holds no image of Montgomery County; expected {_EXPECTED}")
    return sample_cases(pair(path, found, masks, _LAYOUT, config.structures, spacing=spacing), config)


def spacing(path: Path, name: str) -> tuple[float, float]:
    """Return the spacing of rows and columns, which all images share, in millimetres."""
    return 0.0875, 0.0875
