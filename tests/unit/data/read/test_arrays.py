"""Masks that are no pictures: NumPy, NIfTI, DICOM segmentations."""

import gzip
import io

import numpy as np
import pytest
from pictures import saved
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from cxrseg.data.read.arrays import read_array

RIGHT, LEFT, HEART = (np.zeros((40, 32), bool) for _ in range(3))
RIGHT[5:35, 3:12], LEFT[8:35, 20:29], HEART[20:30, 13:19] = True, True, True


def written(save, *arrays, **named):
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


def segmentation(segments):
    """Return a DICOM segmentation (PS3.3 A.51) with one binary frame for each segment, packed by hand."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = *RIGHT.shape, len(segments)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.SegmentationType = 1, "MONOCHROME2", "BINARY"
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = dataset.PixelRepresentation = 0
    dataset.SegmentSequence, dataset.PerFrameFunctionalGroupsSequence = Sequence(), Sequence()
    for number, label in enumerate(segments, start=1):
        item, frame, which = Dataset(), Dataset(), Dataset()
        item.SegmentNumber, item.SegmentLabel, which.ReferencedSegmentNumber = number, label, number
        frame.SegmentIdentificationSequence = Sequence([which])
        dataset.SegmentSequence.append(item)
        dataset.PerFrameFunctionalGroupsSequence.append(frame)
    bits = np.packbits(np.stack(list(segments.values())).ravel(), bitorder="little")
    dataset.PixelData = bits.tobytes() + b"\0" * (len(bits) % 2)
    dataset["PixelData"].VR = "OB"
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


THREE = {"Right Lung": RIGHT, "Left Lung": LEFT, "Heart": HEART}


@pytest.mark.parametrize("pack", [segmentation, lambda arrays: written(np.savez_compressed, **arrays)])
def test_structures_by_their_names(pack):
    data = pack(THREE)
    for structure, truth in {"lungs": RIGHT | LEFT, "left_lung": LEFT, "heart": HEART}.items():
        np.testing.assert_array_equal(read_array(data, "a", structure) > 0, truth)
    with pytest.raises(ValueError, match="a: holds Right Lung, Left Lung, Heart; expected a mask of the infection"):
        read_array(data, "a", "infection")
    np.testing.assert_array_equal(read_array(pack({"anything": HEART}), "a", "lungs") > 0, HEART)


@pytest.mark.parametrize("pack", [segmentation, lambda arrays: written(np.savez_compressed, **arrays)])
@pytest.mark.parametrize("name", ["Left Lung", "left_lung_mask", "Heart"])
def test_a_single_mask_is_not_taken_for_another_structure(pack, name):
    with pytest.raises(ValueError, match=f"a: holds {name}; expected a mask of the lungs"):
        read_array(pack({name: LEFT}), "a", "lungs")


def test_numpy_array_of_any_type():
    for dtype in (bool, np.uint8, np.int64, np.float32):
        np.testing.assert_array_equal(read_array(written(np.save, RIGHT.astype(dtype)), "a", "lungs") > 0, RIGHT)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_nifti_as_itk_and_as_nibabel_write_it(pack):
    nibabel = pytest.importorskip("nibabel", reason="nibabel is not installed (extra nifti)")
    for values, affine in (
        (RIGHT.T, np.diag([-0.2, -0.2, 1, 1])),
        (RIGHT, np.eye(4)),
        (RIGHT[::-1].T, np.diag([-0.2, 0.2, 1, 1])),  # as dcm2niix
        (RIGHT[::-1, ::-1].T, np.diag([0.2, 0.2, 1, 1])),
    ):
        data = pack(nibabel.Nifti1Image(values[..., None].astype(np.uint8), affine).to_bytes())
        np.testing.assert_array_equal(read_array(data, "a", "lungs") > 0, RIGHT)


@pytest.mark.parametrize("codes", ["LAS", "LSA", "RSA", "RAS", "LIA", "SLA", "PLS", "ASL"])
def test_nifti_lies_as_its_axes_say(codes):
    """nibabel turns a frontal film, known to run to the right, to the front and up, into any orientation."""
    nibabel = pytest.importorskip("nibabel", reason="nibabel is not installed (extra nifti)")
    film = nibabel.Nifti1Image(RIGHT[::-1, ::-1].T[:, None, :].astype(np.uint8), np.diag([0.2, 1, 0.2, 1]))
    turned = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(film.affine), nibabel.orientations.axcodes2ornt(codes)
    )
    data = film.as_reoriented(turned).to_bytes()
    np.testing.assert_array_equal(read_array(data, "a", "lungs") > 0, RIGHT)


def test_nifti_from_the_side_is_no_mask_of_a_frontal_film():
    nibabel = pytest.importorskip("nibabel", reason="nibabel is not installed (extra nifti)")
    data = nibabel.Nifti1Image(RIGHT[None].astype(np.uint8), np.diag([1, 0.2, 0.2, 1])).to_bytes()
    with pytest.raises(ValueError, match=r"^a: cannot be decoded.*side to side"):
        read_array(data, "a", "lungs")


def test_other_kinds_are_left_to_others():
    assert read_array(saved(Image.fromarray(RIGHT), "PNG"), "a", "lungs") is None
    assert read_array(b"", "a", "lungs") is None


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (written(np.save, np.array([{}], object)), "cannot be decoded"),
        (written(np.save, RIGHT)[:-9], "cannot be decoded"),
        (written(np.savez, a=RIGHT)[:-40], "cannot be decoded"),
        (segmentation(THREE)[:-20], "cannot be decoded"),
        (written(np.save, np.zeros((2, 4, 4))), r"float64 of shape \(2, 4, 4\); expected one \(height, width\) mask"),
        (written(np.save, np.where(RIGHT, 1, np.nan)), "holds NaN or infinity"),
        (written(np.savez), "holds nothing; expected a mask of the lungs"),
    ],
)
def test_what_is_no_mask_is_refused_in_one_line(data, problem):
    with pytest.raises(ValueError, match=f"^a.npy: .*{problem}") as caught:
        read_array(data, "a.npy", "lungs")
    assert "\n" not in str(caught.value)
