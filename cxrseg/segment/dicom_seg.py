"""Write masks as a DICOM Segmentation object, with structures coded in SNOMED CT.

References
----------
DICOM PS3.3, section A.51, Segmentation IOD. SNOMED CT codes as in DICOM PS3.16.
"""

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
"""SNOMED CT code of each structure. The lungs as a whole have one segment if a network does not tell them apart."""

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
        The DICOM file that was segmented. The object refers to it and has its patient and its study.
    masks : dict of str to (height, width) bool array
        Mask of each structure at the native resolution of the radiograph.
    card : ModelCard
        Card of the network.

    Returns
    -------
    pydicom.Dataset
        One segment per structure, right and left lung instead of both. Its UIDs depend only on the radiograph, the
        network and the masks.

    Raises
    ------
    ValueError
        The file is not DICOM or lacks what the object must repeat, or a structure has no code.
    RuntimeError
        highdicom is not installed.
    """
    try:
        import highdicom
    except ModuleNotFoundError as error:
        raise RuntimeError("--dicom-seg needs highdicom: pip install 'cxrseg[seg]'") from error
    try:
        dataset = pydicom.dcmread(source)
    except (pydicom.errors.InvalidDicomError, OSError) as error:
        raise ValueError(f"{source}: not a DICOM file, so it has no DICOM Segmentation object") from error
    for keyword in MAY_BE_EMPTY:
        if keyword not in dataset:
            setattr(dataset, keyword, "")
    names = outputs(list(masks))
    if unknown := [name for name in names if name not in CODES]:
        raise ValueError(f"--dicom-seg: no SNOMED CT code is known for {unknown[0]}; known are {', '.join(CODES)}")
    pixels = np.stack([masks[name] for name in names], axis=-1)
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name=f"cxrseg {card.run}", version=card.commit[:7] or __version__, family=ARTIFICIAL_INTELLIGENCE
    )
    segments = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=name.replace("_", " ").capitalize(),
            segmented_property_category=ANATOMICAL_STRUCTURE,
            segmented_property_type=CODES[name],
            algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=algorithm,
        )
        for number, name in enumerate(names, start=1)
    ]
    try:
        entropy = [str(dataset.SOPInstanceUID), card.sha256, np.packbits(pixels).tobytes().hex()]
        return highdicom.seg.Segmentation(
            source_images=[dataset],
            pixel_array=pixels[None],
            segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=segments,
            series_instance_uid=generate_uid(entropy_srcs=[*entropy, "series"]),
            sop_instance_uid=generate_uid(entropy_srcs=[*entropy, "instance"]),
            series_number=1000,
            instance_number=1,
            manufacturer="cxrseg",
            manufacturer_model_name=f"cxrseg {card.run}",
            software_versions=__version__,
            device_serial_number=card.sha256[:16] or "none",
            series_description="Lungs and heart, automatic",
            omit_empty_frames=False,
        )
    except (AttributeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{source}: no DICOM Segmentation object can be made of it ({reason})") from error
