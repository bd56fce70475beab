"""One's own radiographs: where the mask lies, what is measured, and what happens to files that are none."""

import csv
import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from conftest import cxrseg
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from scipy import ndimage

from cxrseg import images, network, plausibility, segment
from cxrseg.masks import keep_largest
from cxrseg.phantom import LABELS, phantom


class Bright:
    """A network to which what is bright is lung, and which is sure of it."""

    def run(self, names, feed):
        assert names == ["probability"]
        return [np.clip(20 * feed["image"] - 9, 0, 1)]


SCORES = {"dice": 0.9, "ci95": [0.88, 0.92], "cases": 12}
INFO = {
    "input_size": 128, "contrast": "as_is", "structures": ["lungs"], "threshold": 0.5, "pieces": 0,
    "study": "demo", "trained_on": "Trained on nothing.", "scores": SCORES,
}  # fmt: skip
BRIGHT = network.Network(Bright(), INFO)


def chest(height, width):
    """Return two ellipses as a mask: a larger one at the left, a smaller one at the right and higher up."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    y, x = y - height / max(height, width) / 2, x - width / max(height, width) / 2
    return ((x + 0.15) / 0.1) ** 2 + (y / 0.25) ** 2 < 1, ((x - 0.15) / 0.08) ** 2 + ((y + 0.05) / 0.2) ** 2 < 1


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def save_dicom(values, file, **attributes):
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1", generate_uid()
    dataset.Rows, dataset.Columns = values.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    for name, value in attributes.items():
        setattr(dataset, name, value)
    dataset.PixelData = values.astype("<u2").tobytes()
    dataset.save_as(file, enforce_file_format=True)


def planted(kind, folder):
    """Write a picture that is bright on two known ellipses; return the file and the mask as one sees it upright."""
    height, width = (700, 1100) if kind != "tall" else (1100, 600)
    right, left = chest(height, width)
    grey = np.where(right | left, 220, 20).astype(np.uint8)
    file = folder / f"{kind}.png"
    if kind == "sixteen":
        Image.fromarray(grey.astype(np.uint16) * 16).save(file)
    elif kind == "exif":
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned a quarter to the right when shown
        file = folder / "exif.jpg"
        Image.fromarray(np.rot90(grey)).save(file, exif=exif, quality=95)
    elif kind == "monochrome1":
        file = folder / "inverted.dcm"
        save_dicom(4095 - grey.astype(np.uint16) * 16, file, PhotometricInterpretation="MONOCHROME1")
    else:
        Image.fromarray(grey).save(file)
    return file, right, left


@pytest.mark.parametrize("kind", ["wide", "tall", "sixteen", "exif", "monochrome1"])
def test_mask_lies_where_the_shape_was_planted(kind, tmp_path):
    file, right, left = planted(kind, tmp_path)
    ((done, row),) = segment.segment_files(BRIGHT, [file], tmp_path / "out")
    assert done == file
    mask = np.asarray(Image.open(tmp_path / "out" / row["mask"])) > 0
    assert mask.shape == right.shape
    assert dice(mask, right | left) > 0.985  # the network sees 128 pixels a side
    assert row["right_px"] == pytest.approx(right.sum(), rel=0.02)  # the patient's right: the picture's left
    assert row["left_px"] == pytest.approx(left.sum(), rel=0.02)
    assert row["left_to_right"] == pytest.approx(left.sum() / right.sum(), rel=0.03)
    assert "frontal" not in row["warning"]


def test_square_millimetres_where_dicom_knows_them(tmp_path):
    right, left = chest(400, 500)
    save_dicom(np.where(right | left, 3000, 300), tmp_path / "a.dcm", PixelSpacing=[0.5, 0.4])
    Image.fromarray((right | left).astype(np.uint8) * 255).save(tmp_path / "b.png", dpi=(300, 300))
    rows = dict(segment.segment_files(BRIGHT, [tmp_path / "a.dcm", tmp_path / "b.png"], tmp_path / "out"))
    assert rows[tmp_path / "a.dcm"]["left_mm2"] == pytest.approx(left.sum() * 0.2, rel=0.02)
    assert "left_mm2" not in rows[tmp_path / "b.png"]  # what printers are told is no spacing


def test_table_has_a_row_per_file_in_order(tmp_path):
    files = []
    for k in range(7):
        (tmp_path / str(k)).mkdir()
        files.append(planted("wide", tmp_path / str(k))[0])
    done = [file for file, _ in segment.segment_files(BRIGHT, files, tmp_path / "out", crop=True, workers=3)]
    assert done == files
    with open(tmp_path / "out" / "segmentations.csv") as table:
        rows = list(csv.DictReader(table))
    assert [row["file"] for row in rows] == [str(file) for file in files]
    assert tuple(rows[0]) == segment.COLUMNS
    for column in ("mask", "overlay", "crop"):
        assert len({row[column] for row in rows}) == 7  # one name each, though all files are called alike
        assert all((tmp_path / "out" / row[column]).is_file() for row in rows)


def test_crop_is_the_lungs_and_nothing_else():
    image = np.full((40, 60), 100, np.uint8)
    mask = np.zeros((40, 60), bool)
    mask[10:20, 5:15] = mask[12:30, 40:50] = True
    cut = np.asarray(segment.cut_out(image, mask))
    assert cut.shape == (20, 45)
    np.testing.assert_array_equal(cut > 0, mask[10:30, 5:50])
    assert segment.cut_out(image, np.zeros_like(mask)).size == (1, 1)


def test_overlay_tints_the_lungs_only_and_is_small():
    image = np.full((3000, 1500), 100, np.uint8)
    mask = np.zeros((3000, 1500), bool)
    mask[600:1200, 300:900] = True
    shown = np.asarray(segment.overlay(image, mask)).astype(int)
    assert shown.shape == (1024, 512, 3)
    coloured = (shown.max(axis=2) - shown.min(axis=2)) > 0
    assert coloured.mean() == pytest.approx(mask.mean(), rel=0.02)
    assert coloured[205:409, 103:307].mean() > 0.99


def test_sides_agree_with_the_pieces_of_phantoms():
    for k in range(12):
        lungs = phantom(7, k, LABELS[k % 3], 128, "randomised").lungs
        labels, found = ndimage.label(lungs)
        sizes = np.bincount(labels.ravel())[1:]
        if found != 2:
            continue
        first, second = (np.nonzero(labels == n)[1].mean() for n in (1, 2))
        expected = sizes if first < second else sizes[::-1]
        on_left, on_right = segment.sides(lungs, lungs.astype(np.float32))
        assert on_left == pytest.approx(expected[0], rel=0.03)
        assert on_right == pytest.approx(expected[1], rel=0.03)


def test_a_missing_lung_is_one_side_empty():
    mask = chest(200, 200)[0]
    assert segment.sides(mask, mask.astype(np.float32)) == (mask.sum(), 0)


class Dark(Bright):
    """A network to which what is dark, but not black as a border is, is lung."""

    def run(self, names, feed):
        grey = feed["image"]
        return [np.where(grey > 0.1, np.clip(8 - 20 * grey, 0, 1), 0).astype(np.float32)]


def test_a_low_quality_is_warned_of():
    truth = phantom(7, 1, "Normal", 256).lungs
    lungs = np.where(truth, 60, 170).astype(np.uint8)
    good = segment.segment(network.Network(Dark(), INFO), lungs)
    assert dice(good.mask, truth) > 0.98
    assert good.predicted_dice > plausibility.LOW
    assert good.warning == ""
    # The same outline on lungs that are brighter than what surrounds them is none to be trusted.
    odd = segment.segment(BRIGHT, 255 - lungs)
    assert dice(odd.mask, truth) > 0.96
    assert odd.predicted_dice < plausibility.LOW - 0.2
    assert odd.warning == f"low predicted quality ({odd.predicted_dice:.2f}): check the outline"


def test_objections_name_each_reason():
    right, left = chest(128, 128)
    assert plausibility.objections(right | left, left.sum(), right.sum()) == []
    assert plausibility.objections(right & False, 0, 0) == ["no lung found"]
    (alone, side) = plausibility.objections(right, 0, right.sum())
    assert "1 large piece" in alone
    assert "one side" in side
    everything = np.ones((64, 64), bool)
    assert "100%" in plausibility.objections(everything, 2000, 2096)[0]
    speck = np.zeros((128, 128), bool)
    speck[60:70, 40:45] = speck[60:70, 90:92] = True
    reasons = " ".join(plausibility.objections(speck, 20, 70))
    assert "cover 0%" in reasons
    assert "3.5 times" in reasons


@pytest.mark.real
def test_nothing_speaks_against_real_lungs(shared):
    import zipfile

    archive = zipfile.ZipFile(shared / "covid-qu-ex-1500.zip")
    names = [n for n in archive.namelist() if "lung masks/" in n and n.endswith(".png")][::5]
    for name in names:
        mask = np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("L")) > 127
        right, left = segment.sides(mask, mask.astype(np.float32))
        assert plausibility.objections(mask, left, right) == [], name


def test_warning_tells_low_quality_and_strange_pictures_apart():
    assert plausibility.warning(0.95, []) == ""
    assert "low predicted quality (0.70)" in plausibility.warning(0.7, [])
    both = plausibility.warning(0.7, ["no lung found"])
    assert "does not look like a frontal chest X-ray: no lung found" in both
    assert "0.70" in both


def test_only_the_largest_pieces_are_kept_on_any_grid():
    right, left = chest(128, 128)
    speck = np.zeros_like(right)
    speck[120:124, 5:9] = True
    hole = np.zeros_like(right)
    hole[60:66, 40:46] = True
    probability = np.where((right | left | speck) & ~hole, np.float32(0.9), np.float32(0.1))
    kept = keep_largest(probability, 0.5, 2)
    np.testing.assert_array_equal(kept >= 0.5, right | left)
    finer = images.from_square(kept, (500, 500)) >= 0.5
    assert ndimage.label(finer)[1] == 2
    assert keep_largest(probability, 0.5, 0) is probability


def test_folders_patterns_and_files(tmp_path):
    for name in ("b.png", "a.jpg", "notes.txt", "sub/c.BMP", "out/old-mask.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    for name in ("IM000001", "1.2.840.10008.5"):
        save_dicom(np.ones((8, 8)), tmp_path / name)
    found, problems = segment.find_files([str(tmp_path)], tmp_path / "out")
    assert [file.name for file in found] == ["1.2.840.10008.5", "IM000001", "a.jpg", "b.png", "c.BMP"]
    assert list(segment._names(found).values()) == ["1.2.840.10008.5", "IM000001", "a", "b", "c"]
    assert problems == []
    found, _ = segment.find_files([str(tmp_path / "*.png"), str(tmp_path / "b.png")], tmp_path / "out")
    assert [file.name for file in found] == ["b.png"]
    found, _ = segment.find_files([str(tmp_path / "notes.txt")], tmp_path / "out")
    assert len(found) == 1  # named in full: tried, and its error named
    for given in (tmp_path, tmp_path / "b.png", tmp_path / "*.png"):  # a result could take a radiograph's place
        found, problems = segment.find_files([str(given)], tmp_path)
        assert found == [] and "another --out" in problems[0]
    _, problems = segment.find_files([str(tmp_path / "nothing-*.png"), str(tmp_path / "no.png")], tmp_path / "out")
    assert len(problems) == 2


def bomb(width, height):
    """Return a PNG that claims many pixels and holds few bytes."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(10_000_000), 9)) + chunk(b"IEND", b"")


@pytest.fixture
def hostile(tmp_path):
    """Return a folder of files that are no chest X-rays, and what each error must say."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("this is text")
    (folder / "bomb.png").write_bytes(bomb(60_000, 60_000))
    (folder / "wide.png").write_bytes(bomb(20_000, 300))
    save_dicom(np.ones((8, 8)), folder / "nothing.dcm")
    dataset = pydicom.dcmread(folder / "nothing.dcm")
    del dataset.PixelData
    dataset.save_as(folder / "nothing.dcm")
    photo = np.zeros((300, 400, 3), np.uint8)
    photo[50:250, 100:330] = 255, 240, 200
    Image.fromarray(photo).save(folder / "photo.png")
    return folder, {
        "empty.png": "empty", "text.jpg": "not an image", "bomb.png": "pixels", "wide.png": "20000 x 300",
        "nothing.dcm": "without pixel data",
    }  # fmt: skip


def test_bad_files_are_named_and_do_not_stop_the_rest(hostile, tmp_path):
    folder, expected = hostile
    files, _ = segment.find_files([str(folder)], tmp_path / "out")
    rows = {file.name: row for file, row in segment.segment_files(BRIGHT, files, tmp_path / "out")}
    assert rows.keys() == expected.keys() | {"photo.png"}
    for name, sign in expected.items():
        assert isinstance(rows[name], str)
        assert name in rows[name]
        assert sign in rows[name]
        assert "\n" not in rows[name]
    assert "does not look like a frontal chest X-ray" in rows["photo.png"]["warning"]


def test_names_that_cannot_be_written_stop_nothing(tmp_path):
    names = ["a.png", f"{'n' * 249}.png", os.fsdecode(b"r\xf6ntgen.png")]
    files = [tmp_path / name for name in names]
    for file in files:
        Image.fromarray(np.tile(np.arange(64, dtype=np.uint8), (64, 1))).save(file)
    rows = {file.name: row for file, row in segment.segment_files(BRIGHT, files, tmp_path / "out")}
    assert "too long" in rows.pop(names[1])
    table = list(csv.DictReader((tmp_path / "out" / "segmentations.csv").open(encoding="utf-8")))
    assert [row["file"].rpartition("/")[2] for row in table] == ["a.png", "r\\udcf6ntgen.png"]


def test_the_chest_cr_of_pydicom_data(tmp_path):
    pytest.importorskip("onnxruntime")
    data = pytest.importorskip("pydicom.data")
    file = Path(data.get_testdata_file("RG1_UNCI.dcm", download=False) or "missing")
    if not file.is_file():
        pytest.skip("pydicom-data is not installed")
    ((_, row),) = segment.segment_files(network.load(), [file], tmp_path)
    mask = np.asarray(Image.open(tmp_path / row["mask"])) > 0
    assert mask.shape == (1955, 1841)
    assert ndimage.label(mask, np.ones((3, 3)))[1] == 2
    # Two lungs of a grown person who fills the picture; along the spine there is none.
    assert all(0.1 < row[side] / mask.size < 0.25 for side in ("left_px", "right_px"))
    assert not mask[400:1400, 900:960].any()
    assert row["warning"] == ""


@pytest.mark.slow
def test_command_line(exported, checkout, hostile, tmp_path):
    pytest.importorskip("onnxruntime")
    folder, expected = hostile
    planted("tall", folder)
    done = cxrseg(checkout, "segment", folder, "--run", "tiny", "--out", tmp_path / "out", "--crop")
    assert done.returncode == 1
    errors = done.stderr.strip().splitlines()
    assert len(errors) == len(expected)
    assert all(line.startswith("error: ") for line in errors)
    assert "Trained on" in done.stdout
    assert "Mean Dice" in done.stdout
    assert "2 segmented" in done.stdout
    assert len(list((tmp_path / "out").glob("*-lungs.png"))) == 2
    done = cxrseg(checkout, "segment", folder / "wide.png", "--run", "nobody")
    assert done.returncode == 1
    assert "cxrseg export nobody" in done.stderr


@pytest.mark.slow
def test_hostile_files_take_little_memory(exported, checkout, hostile, tmp_path):
    folder, _ = hostile
    command = [
        sys.executable,
        "-m",
        "cxrseg.cli",
        "segment",
        str(folder),
        "--run",
        "tiny",
        "--out",
        str(tmp_path / "out"),
    ]
    # Through a small process: a child of this one would count what this one held when it was forked.
    code = (
        "import resource, subprocess, sys; "
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=checkout, capture_output=True, text=True, check=True
    )
    assert 10 * 1024 < int(done.stdout) < 600 * 1024  # KiB


@pytest.mark.slow
def test_neither_keras_nor_tensorflow_is_imported(exported, checkout, tmp_path):
    file, *_ = planted("wide", tmp_path)
    code = (
        "import sys; from pathlib import Path; from cxrseg import network, segment; "
        f"list(segment.segment_files(network.load('tiny'), [Path({str(file)!r})], Path({str(tmp_path / 'out')!r}))); "
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"keras", "tensorflow", "torch", "pandas", "matplotlib"}


def test_missing_default_model_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(network.paths, "model", lambda run: tmp_path / "default.onnx")
    with pytest.raises(FileNotFoundError, match=r"no default model.*--run"):
        network.load()
