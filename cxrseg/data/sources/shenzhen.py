"""Shenzhen No. 3 Hospital, 662 radiographs (Jaeger et al., doi 10.3978/j.issn.2223-4292.2014.11.20), 566 with masks.

The masks are a download of its own (Stirenko et al., Chest X-ray analysis of tuberculosis by deep learning with
segmentation and augmentation, ELNANO 2018, doi 10.1109/ELNANO.2018.8477564; CC BY-NC-SA 4.0).

Layout: ``…/CHNCXR_0001_0.png`` and ``…/CHNCXR_0001_0_mask.png``, in any folders. The last digit is 0 for normal and 1
for tuberculosis. Radiographs without a mask are left out. Patients are not identified.
"""

import re
from pathlib import PurePosixPath

from cxrseg.config import DataConfig
from cxrseg.data.cases import About, Case
from cxrseg.data.pairing import Image, check_known, pair, sample_cases
from cxrseg.data.read import archive
from cxrseg.data.sources.montgomery import FINDINGS

ABOUT = About(
    "566 of 662",
    "images of the National Library of Medicine, cite Jaeger et al. 2014; masks CC BY-NC-SA 4.0",
    "download ChinaSet_AllFiles from data.lhncbc.nlm.nih.gov and the masks (Kaggle yoctoman/shcxr-lung-mask), "
    "and put both into one folder",
)
_LAYOUT = "CHNCXR_0001_0.png and CHNCXR_0001_0_mask.png"
_EXPECTED = f"a folder or ZIP with the images and the masks of Shenzhen ({_LAYOUT})"


def cases(config: DataConfig) -> list[Case]:
    """List the cases of the Shenzhen set that have a mask, and print how many have none.

    Parameters
    ----------
    config : DataConfig
        `path` names a folder or ZIP that holds images and masks; `cases_per_class` and `seed` are used; `structures`
        can only be lungs.

    Returns
    -------
    list of Case
        By name.

    Raises
    ------
    ValueError
        No such data, another structure, an unknown class, or too few cases of a class.
    """
    check_known("data.structures (source shenzhen)", config.structures, ["lungs"])
    path = archive.existing(config.path, "shenzhen", _EXPECTED)
    found: list[Image] = []
    masks: dict[tuple, list[str]] = {}
    for name in map(PurePosixPath, archive.list_files(path)):
        match = re.fullmatch(r"(CHNCXR_\d+_([01]))(_mask)?\.png", name.name, re.IGNORECASE)
        if match and match[3]:
            masks.setdefault((match[1].upper(),), []).append(str(name))
        elif match:
            found.append(Image((match[1].upper(),), FINDINGS[match[2]], name.stem, str(name)))
    if not found:
        raise ValueError(f"{path}: holds no image of Shenzhen; expected {_EXPECTED}")
    masked = [image for image in found if image.key in masks]
    if 0 < len(masked) < len(found):
        print(
            f"{path.name}: {len(found) - len(masked)} of {len(found)} images have no mask and are left out", flush=True
        )
    return sample_cases(pair(path, masked or found, {"lungs": masks}, _LAYOUT), config)
