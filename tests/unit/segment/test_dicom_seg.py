"""A DICOM Segmentation object holds the masks, the codes and the patient, as other readers find them."""

import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from pictures import IDENTITY, dicom
from samples import ORGANS_CARD, planted_file, planted_organs
from support import packed_frames

from cxrseg.segment.dicom_seg import dicom_seg

SNOMED = {"right_lung": "3341006", "left_lung": "44029006", "heart": "80891009"}


@pytest.fixture
def radiograph(tmp_path):
    """Return a DICOM radiograph, and the masks in it."""
    pytest.importorskip("highdicom", reason="highdicom is not installed (extra seg)")
    picture, right, left, heart = planted_organs(123, 97)
    file = tmp_path / "film.dcm"
    file.write_bytes(dicom(picture.astype(np.uint16) * 16, PatientID="P1", PatientOrientation=["L", "F"], **IDENTITY))
    heart |= np.roll(heart, 20, axis=1)  # organs may overlap
    return file, {"lungs": right | left, "right_lung": right, "left_lung": left, "heart": heart}


def test_each_structure_is_a_segment_with_its_code(radiograph, tmp_path):
    file, masks = radiograph
    dicom_seg(file, masks, ORGANS_CARD).save_as(tmp_path / "seg.dcm")
    found, source = pydicom.dcmread(tmp_path / "seg.dcm"), pydicom.dcmread(file)
    assert found.SOPClassUID.name == "Segmentation Storage"
    assert found.PatientOrientation == ["L", "F"]
    assert found.PatientID == "P1" and found.StudyInstanceUID == source.StudyInstanceUID
    assert found.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == (
        source.SOPInstanceUID
    )
    names = ["right_lung", "left_lung", "heart"]
    for segment, name in zip(found.SegmentSequence, names, strict=True):
        code = segment.SegmentedPropertyTypeCodeSequence[0]
        assert (code.CodeValue, code.CodingSchemeDesignator) == (SNOMED[name], "SCT")
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


def test_an_organ_that_was_not_found_is_an_empty_segment(radiograph, tmp_path):
    file, masks = radiograph
    dicom_seg(file, masks | {"heart": masks["heart"] & False}, ORGANS_CARD).save_as(tmp_path / "seg.dcm")
    frames = packed_frames(pydicom.dcmread(tmp_path / "seg.dcm"))
    assert [bool(frame.any()) for frame in frames] == [True, True, False]


@pytest.mark.parametrize("change", ["no preamble", "odd sex", "anonymised", "long name", "no size", "one size"])
def test_odd_files_are_taken(change, radiograph, tmp_path):
    file, masks = radiograph
    card, dataset = ORGANS_CARD, pydicom.dcmread(file)
    if change == "no preamble":
        file.write_bytes(file.read_bytes()[132:])
    elif change == "odd sex":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            dataset.PatientSex = "unknown"
            dataset.save_as(file)
    elif change == "no size":
        dataset.PixelSpacing = [0, 0]
        dataset.save_as(file)
    elif change == "one size":
        dataset.PixelSpacing = 0.2
        dataset.save_as(file)
    elif change == "anonymised":
        del dataset.PatientID
        dataset.save_as(file)
    else:
        card = replace(card, run="r" * 80)
    dicom_seg(file, masks, card).save_as(tmp_path / "seg.dcm")
    found = pydicom.dcmread(tmp_path / "seg.dcm")
    assert packed_frames(found).shape == (3, 123, 97)
    measures = found.SharedFunctionalGroupsSequence[0].get("PixelMeasuresSequence")
    assert not measures or all(value > 0 for value in measures[0].get("PixelSpacing", [1]))


@pytest.mark.parametrize("uid", ["StudyInstanceUID", "SOPInstanceUID"])
@pytest.mark.parametrize("value", [None, ""])
def test_what_nothing_can_refer_to_is_one_line(uid, value, radiograph):
    file, masks = radiograph
    dataset = pydicom.dcmread(file)
    if value is None:
        delattr(dataset, uid)
    else:
        setattr(dataset, uid, value)
    dataset.save_as(file)
    with pytest.raises(ValueError, match=rf"film\.dcm: no {uid}"):
        dicom_seg(file, masks, ORGANS_CARD)


def test_a_structure_without_a_code_is_named(radiograph):
    file, masks = radiograph
    with pytest.raises(ValueError, match="no SNOMED CT code is known for infection"):
        dicom_seg(file, {"lungs": masks["lungs"], "infection": masks["heart"]}, ORGANS_CARD)


def test_without_the_extra_it_is_named(tmp_path):
    planted_file("wide", tmp_path)
    code = "import sys; sys.modules['highdicom'] = None; from cxrseg.cli import app; app()"
    command = [sys.executable, "-c", code, "segment", str(tmp_path / "wide.png"), "--dicom-seg"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "cxrseg[seg]" in done.stderr
    assert not list(tmp_path.glob("segmentations/*-mask.png"))
