"""Write masks as a DICOM Segmentation object, with structures coded in SNOMED CT.

References
----------
DICOM PS3.3, section A.51, Segmentation IOD. SNOMED CT codes as in DICOM PS3.16.
"""

import hashlib
from pathlib import Path

import numpy as np
import pydicom
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

from cxrseg import __version__
from cxrseg.models import ModelCard, outputs

CODES = {
    "lungs": Code("39607008", "SCT", "Lung"),
    "right_lung": Code("3341006", "SCT", "Right lung"),
    "left_lung": Code("44029006", "SCT", "Left lung"),
    "heart": Code("80891009", "SCT", "Heart"),
}
"""SNOMED CT code of each structure. If a network does not separate the lungs, they are one segment."""

REQUIRED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
"""Attributes of the radiograph without which nothing can refer to it."""

MAY_BE_EMPTY = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate", "StudyTime",
    "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
"""Attributes that the object repeats and that may be empty; anonymised files lack some of them altogether."""

ANATOMICAL_STRUCTURE = Code("91723000", "SCT", "Anatomical Structure")
ARTIFICIAL_INTELLIGENCE = Code("123109", "DCM", "Artificial Intelligence")


def dicom_seg(source: Path, masks: dict[str, np.ndarray], card: ModelCard) -> pydicom.Dataset:
    """Return the masks of a DICOM radiograph as a binary DICOM Segmentation object.

    Parameters
    ----------
    source : Path
        The DICOM file that was segmented. The object refers to it and copies its patient and study.
    masks : dict of str to (height, width) bool array
        Mask of each structure at the native resolution of the radiograph.
    card : ModelCard
        Card of the network.

    Returns
    -------
    pydicom.Dataset
        One segment per structure; if each lung has a mask, there is none for both together. The same radiograph,
        network and masks always give the same SOP Instance UID and Series Instance UID.

    Raises
    ------
    ValueError
        The file lacks what the object must repeat, or a structure has no code.
    ModuleNotFoundError
        highdicom is not installed.
    """
    import highdicom

    names = outputs(list(masks))
    if unknown := [name for name in names if name not in CODES]:
        raise ValueError(f"{source}: no SNOMED CT code is known for {unknown[0]}; known are {', '.join(CODES)}")
    dataset = pydicom.dcmread(source, force=True, stop_before_pixels=True)
    if missing := [keyword for keyword in REQUIRED if not dataset.get(keyword)]:
        raise ValueError(f"{source}: no {missing[0]}, which a DICOM Segmentation object needs: leave out --dicom-seg")
    for keyword in MAY_BE_EMPTY:
        if keyword not in dataset:
            setattr(dataset, keyword, "")
    if dataset.PatientSex not in ("M", "F", "O"):
        dataset.PatientSex = ""  # highdicom refuses other values, which the standard does not allow
    if "PixelSpacing" in dataset and not _is_spacing(dataset.PixelSpacing):
        del dataset.PixelSpacing  # of unknown size, as in the radiograph
    pixels = np.stack([masks[name] for name in names], axis=-1)
    labels = [name.replace("_", " ").capitalize() for name in names]
    program = f"cxrseg {card.run}"[:64]  # DICOM allows no more
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name=program, version=card.commit[:7] or __version__, family=ARTIFICIAL_INTELLIGENCE
    )
    segments = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=label,
            segmented_property_category=ANATOMICAL_STRUCTURE,
            segmented_property_type=CODES[name],
            algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=algorithm,
        )
        for number, (name, label) in enumerate(zip(names, labels, strict=True), start=1)
    ]
    digest = hashlib.sha256(np.packbits(pixels).tobytes()).hexdigest()
    entropy = [str(dataset.SOPInstanceUID), card.sha256, digest]
    try:
        result = highdicom.seg.Segmentation(
            source_images=[dataset],
            pixel_array=pixels[None],
            segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=segments,
            series_instance_uid=generate_uid(entropy_srcs=[*entropy, "series"]),
            sop_instance_uid=generate_uid(entropy_srcs=[*entropy, "instance"]),
            series_number=1000,
            instance_number=1,
            manufacturer="cxrseg",
            manufacturer_model_name=program,
            software_versions=__version__,
            device_serial_number=card.sha256[:16] or "none",
            series_description=f"{', '.join(labels)}: automatic"[:64],
            omit_empty_frames=False,
        )
    except (AttributeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{source}: no DICOM Segmentation object can be made of it ({reason})") from error
    if "PatientOrientation" in dataset:  # tells viewers where left and right are
        result.PatientOrientation = dataset.PatientOrientation
    return result


def _is_spacing(values) -> bool:
    try:
        row, column = (float(value) for value in values)
    except (TypeError, ValueError):  # not two, or no numbers
        return False
    return row > 0 and column > 0
