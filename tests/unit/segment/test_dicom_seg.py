"""A DICOM Segmentation object holds the masks, the codes and the patient, as other readers find them."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from pictures import IDENTITY, dicom
from samples import ORGANS_CARD, planted_organs
from support import packed_frames

from cxrseg.segment import dicom_seg as module
from cxrseg.segment.dicom_seg import CODES, dicom_seg

pytest.importorskip("highdicom", reason="highdicom is not installed (extra seg)")


@pytest.fixture
def radiograph(tmp_path):
    """Return a DICOM radiograph, and the masks in it."""
    picture, right, left, heart = planted_organs(123, 97)
    file = tmp_path / "film.dcm"
    file.write_bytes(dicom(picture.astype(np.uint16) * 16, PatientID="P1", **IDENTITY))
    heart |= np.roll(heart, 20, axis=1)  # organs may overlap
    return file, {"lungs": right | left, "right_lung": right, "left_lung": left, "heart": heart}


def test_each_structure_is_a_segment_with_its_code(radiograph, tmp_path):
    file, masks = radiograph
    dicom_seg(file, masks, ORGANS_CARD).save_as(tmp_path / "seg.dcm")
    found, source = pydicom.dcmread(tmp_path / "seg.dcm"), pydicom.dcmread(file)
    assert found.SOPClassUID.name == "Segmentation Storage"
    assert found.PatientID == "P1" and found.StudyInstanceUID == source.StudyInstanceUID
    assert found.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == (
        source.SOPInstanceUID
    )
    names = ["right_lung", "left_lung", "heart"]
    for segment, name in zip(found.SegmentSequence, names, strict=True):
        code = segment.SegmentedPropertyTypeCodeSequence[0]
        assert (code.CodeValue, code.CodingSchemeDesignator) == (CODES[name].value, "SCT")
        assert segment.SegmentAlgorithmType == "AUTOMATIC"
    frames = packed_frames(found)
    for frame, name in zip(frames, names, strict=True):
        np.testing.assert_array_equal(frame, masks[name])


def test_the_same_radiograph_and_masks_give_the_same_object(radiograph):
    file, masks = radiograph
    first, second = (dicom_seg(file, masks, ORGANS_CARD) for _ in range(2))
    assert first.SOPInstanceUID == second.SOPInstanceUID
    other = dicom_seg(file, masks | {"heart": ~masks["heart"]}, ORGANS_CARD)
    assert other.SOPInstanceUID != first.SOPInstanceUID


def test_lungs_that_are_not_told_apart_are_one_segment(radiograph):
    file, masks = radiograph
    (segment,) = dicom_seg(file, {"lungs": masks["lungs"]}, replace(ORGANS_CARD, structures=["lungs"])).SegmentSequence
    assert segment.SegmentedPropertyTypeCodeSequence[0].CodeValue == "39607008"


def test_what_cannot_be_written_is_one_line(radiograph, tmp_path):
    file, masks = radiograph
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    with pytest.raises(ValueError, match=r"a\.png: not a DICOM file"):
        dicom_seg(tmp_path / "a.png", masks, ORGANS_CARD)
    with pytest.raises(ValueError, match="no SNOMED CT code is known for infection"):
        dicom_seg(file, {"lungs": masks["lungs"], "infection": masks["heart"]}, ORGANS_CARD)
    dataset = pydicom.dcmread(file)
    del dataset.StudyInstanceUID
    dataset.save_as(file)
    with pytest.raises(ValueError, match=r"film\.dcm: .*StudyInstanceUID") as raised:
        dicom_seg(file, masks, ORGANS_CARD)
    assert "\n" not in str(raised.value)


def test_without_the_extra_it_is_named(radiograph, monkeypatch):
    import sys

    file, masks = radiograph
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(RuntimeError, match=r"cxrseg\[seg\]"):
        module.dicom_seg(file, masks, ORGANS_CARD)
