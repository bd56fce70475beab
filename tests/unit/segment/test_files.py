"""One's own radiographs: where the mask lies, what is measured, and what happens to files that are none."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pictures import IDENTITY, dicom
from PIL import Image
from samples import BRIGHT, ORGANS, chest, dice, planted_file, planted_organs
from support import bomb, cxrseg

from cxrseg.measure.heart import extent, ratio
from cxrseg.segment.files import _alone, _names, find_files, segment_files
from cxrseg.segment.table import COLUMNS


@pytest.mark.parametrize("kind", ["wide", "tall", "sixteen", "exif", "monochrome1"])
def test_mask_lies_where_the_shape_was_planted(kind, tmp_path):
    file, right, left = planted_file(kind, tmp_path)
    ((done, row),) = segment_files(BRIGHT, [file], tmp_path / "out")
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
    film = np.where(right | left, 3000, 300).astype(np.uint16)
    (tmp_path / "a.dcm").write_bytes(dicom(film, PixelSpacing=[0.5, 0.4]))
    Image.fromarray((right | left).astype(np.uint8) * 255).save(tmp_path / "b.png", dpi=(300, 300))
    rows = dict(segment_files(BRIGHT, [tmp_path / "a.dcm", tmp_path / "b.png"], tmp_path / "out"))
    assert rows[tmp_path / "a.dcm"]["left_mm2"] == pytest.approx(left.sum() * 0.2, rel=0.02)
    assert rows[tmp_path / "b.png"]["left_mm2"] is None  # what printers are told is no spacing


def test_table_has_a_row_per_file_in_order(tmp_path):
    files = []
    for k in range(7):
        (tmp_path / str(k)).mkdir()
        files.append(planted_file("wide", tmp_path / str(k))[0])
    done = [file for file, _ in segment_files(BRIGHT, files, tmp_path / "out", crop=True, workers=3)]
    assert done == files
    with open(tmp_path / "out" / "segmentations.csv") as table:
        rows = list(csv.DictReader(table))
    assert [row["file"] for row in rows] == [str(file) for file in files]
    assert tuple(rows[0]) == COLUMNS
    for column in ("mask", "overlay", "crop"):
        assert len({row[column] for row in rows}) == 7  # one name each, though all files are called alike
        assert all((tmp_path / "out" / row[column]).is_file() for row in rows)


@pytest.mark.parametrize("name", ["=1+1.png", "@a.png", "-a.png", 'a,"b\nc.png'])
def test_paths_in_the_table_lead_to_the_files_and_are_no_formulas(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    planted_file("wide", tmp_path)[0].rename(name)
    ((_, row),) = segment_files(BRIGHT, [Path(name)], Path("out"), crop=True)
    with open("out/segmentations.csv", newline="") as table:
        (row,) = csv.DictReader(table)
    for path in (Path(row["file"]), *(Path("out") / row[column] for column in ("mask", "overlay", "crop"))):
        assert path.is_file()
    assert not {row[column][0] for column in ("file", "mask", "overlay", "crop")} & set("=+-@")


def test_a_second_call_keeps_the_results_of_other_files(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        planted_file("wide", tmp_path / name)[0].rename(tmp_path / name / "film.png")
    for name in ("one", "two", "two"):
        list(segment_files(BRIGHT, [tmp_path / name / "film.png"], tmp_path / "out"))
    with open(tmp_path / "out" / "segmentations.csv", newline="") as table:
        rows = {Path(row["file"]).parent.name: row["mask"] for row in csv.DictReader(table)}
    assert rows == {"one": "film-mask.png", "two": "film-2-mask.png"}
    assert {file.name for file in (tmp_path / "out").glob("*.png")} == set(rows.values())


def test_the_same_path_in_another_working_folder_is_another_radiograph(tmp_path, monkeypatch):
    for patient in ("one", "two", "one"):
        (tmp_path / patient).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / patient)
        if not Path("film.png").exists():
            planted_file("wide", Path())[0].rename("film.png")
        list(segment_files(BRIGHT, [Path("film.png")], tmp_path / "out"))
    rows = list(csv.DictReader((tmp_path / "out" / "segmentations.csv").read_text().splitlines()))
    assert {(Path(row["folder"]).name, row["mask"]) for row in rows} == {
        ("two", "film-2-mask.png"), ("one", "film-mask.png"),
    }  # fmt: skip


def test_two_calls_do_not_write_into_one_folder(tmp_path):
    film = planted_file("wide", tmp_path)[0]
    (tmp_path / "out").mkdir()
    with _alone(tmp_path / "out"), pytest.raises(RuntimeError, match="another process"):
        list(segment_files(BRIGHT, [film], tmp_path / "out"))


def full(self, *args, **kwargs):
    raise OSError(28, "No space left on device")


def test_nothing_remains_of_a_radiograph_whose_overlay_cannot_be_written(tmp_path, monkeypatch):
    film = planted_file("wide", tmp_path)[0]
    monkeypatch.setattr(Image.Image, "save", full)
    ((_, error),) = segment_files(BRIGHT, [film], tmp_path / "out")
    assert "No space left" in error
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["segmentations.csv"]


def test_earlier_results_stay_until_new_ones_are_whole(tmp_path, monkeypatch):
    films = []
    for k in range(3):
        (tmp_path / str(k)).mkdir()
        films.append(planted_file("wide", tmp_path / str(k))[0])
    out = tmp_path / "out"
    list(segment_files(BRIGHT, films, out, workers=1))
    before = {file: file.read_bytes() for file in out.iterdir()}
    monkeypatch.setattr(Image.Image, "save", full)  # after a first call, the disk is full
    assert all(isinstance(row, str) for _, row in segment_files(BRIGHT, films, out))
    assert {file: file.read_bytes() for file in out.iterdir()} == before
    monkeypatch.undo()
    repeat = segment_files(BRIGHT, films, out, workers=1)
    next(repeat)
    repeat.close()  # as Ctrl-C does
    list(segment_files(BRIGHT, films[::-1], out))  # names follow the radiograph, not the order
    assert {file: file.read_bytes() for file in out.iterdir()} == before


def test_masks_whose_table_was_moved_away_are_not_overwritten(tmp_path):
    film = planted_file("wide", tmp_path)[0]
    list(segment_files(BRIGHT, [film], tmp_path / "out"))
    (tmp_path / "out" / "segmentations.csv").unlink()
    ((_, row),) = segment_files(BRIGHT, [film], tmp_path / "out")
    assert row["mask"].endswith("-2-mask.png")


def test_folders_with_links_and_earlier_results(tmp_path, capsys):
    for name in ("films/a.png", "films/seg/b-mask.png", "films/seg/segmentations.csv", "elsewhere/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "films" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "films" / "back").symlink_to(tmp_path / "films")
    (tmp_path / "films" / "gone.png").symlink_to(tmp_path / "nothing.png")
    (tmp_path / "films" / "itself").symlink_to(tmp_path / "films" / "itself")
    found, problems = find_files([str(tmp_path / "films")], tmp_path / "out")
    assert [file.name for file in found] == ["a.png", "c.png"]
    assert len(problems) == 1 and "gone.png" in problems[0]
    assert "films/seg" in capsys.readouterr().out


def test_a_name_that_begins_with_a_tilde_is_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("~x.png").write_bytes(b"x")
    assert find_files(["~x.png", "~nobody.png"], tmp_path / "out") == (
        [Path("~x.png")], ["~nobody.png: no such file or folder"],
    )  # fmt: skip


def test_folders_patterns_and_files(tmp_path):
    for name in ("b.png", "a.jpg", "notes.txt", "sub/c.BMP", "out/old-mask.png", "sub/._c.BMP", "__MACOSX/._b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    for name in ("IM000001", "1.2.840.10008.5"):
        (tmp_path / name).write_bytes(dicom(np.ones((8, 8), np.uint16)))
    found, problems = find_files([str(tmp_path)], tmp_path / "out")
    assert [file.name for file in found] == ["1.2.840.10008.5", "IM000001", "a.jpg", "b.png", "c.BMP"]
    assert list(_names(found, tmp_path / "out", {}).values()) == ["1.2.840.10008.5", "IM000001", "a", "b", "c"]
    assert problems == []
    found, _ = find_files([str(tmp_path / "*.png"), str(tmp_path / "b.png")], tmp_path / "out")
    assert [file.name for file in found] == ["b.png"]
    found, _ = find_files([str(tmp_path / "notes.txt")], tmp_path / "out")
    assert len(found) == 1  # named in full: tried, and its error named
    for given in (tmp_path, tmp_path / "b.png", tmp_path / "*.png"):  # a result could take a radiograph's place
        found, problems = find_files([str(given)], tmp_path)
        assert found == [] and "another --out" in problems[0]
    _, problems = find_files([str(tmp_path / "nothing-*.png"), str(tmp_path / "no.png")], tmp_path / "out")
    assert len(problems) == 2


@pytest.fixture
def hostile(tmp_path):
    """Return a folder of files that are no chest X-rays, and what each error must say."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("this is text")
    (folder / "bomb.png").write_bytes(bomb(60_000, 60_000))
    (folder / "wide.png").write_bytes(bomb(20_000, 300))
    (folder / "nothing.dcm").write_bytes(dicom(np.ones((8, 8), np.uint16)))
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
    files, _ = find_files([str(folder)], tmp_path / "out")
    rows = {file.name: row for file, row in segment_files(BRIGHT, files, tmp_path / "out")}
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
    rows = {file.name: row for file, row in segment_files(BRIGHT, files, tmp_path / "out")}
    assert "too long" in rows.pop(names[1])
    table = list(csv.DictReader((tmp_path / "out" / "segmentations.csv").read_text("utf-8").splitlines()))
    assert [row["file"].rpartition("/")[2] for row in table] == ["a.png", "r\\udcf6ntgen.png"]


@pytest.mark.slow
def test_command_line(exported, checkout, hostile, tmp_path):
    pytest.importorskip("onnxruntime")
    folder, expected = hostile
    planted_file("tall", folder)
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


def test_heart_and_ratio_are_measured_and_written(tmp_path):
    picture, right, left, heart = planted_organs(600, 600)
    picture[0, :2] = 0, 255  # so that DICOM is shown in its own grey levels
    (tmp_path / "a.dcm").write_bytes(dicom(picture, PixelSpacing=[0.5, 0.4]))
    Image.fromarray(picture[148:452, 148:452]).save(tmp_path / "cut.png")
    files = [tmp_path / "a.dcm", tmp_path / "cut.png"]
    rows = dict(segment_files(ORGANS, files, tmp_path / "out", structure="heart", crop=True))
    whole, cut = (rows[file] for file in files)
    assert dice(np.asarray(Image.open(tmp_path / "out" / whole["mask"])) > 0, heart) > 0.97
    assert whole["heart_px"] == pytest.approx(heart.sum(), rel=0.04)
    assert whole["heart_mm2"] == pytest.approx(0.2 * heart.sum(), rel=0.04)
    assert whole["right_px"] == pytest.approx(right.sum(), rel=0.05)
    assert whole["left_px"] == pytest.approx(left.sum(), rel=0.05)
    assert whole["ctr"] == pytest.approx(ratio(extent(heart), extent(right | left)), rel=0.04)
    assert whole["ctr_refused"] == ""
    assert whole["crop"] == "a-heart.png"
    with Image.open(tmp_path / "out" / whole["crop"]) as crop:
        assert crop.size == pytest.approx((np.ptp(np.nonzero(heart), axis=1) + 1)[::-1].tolist(), abs=4)
    assert cut["ctr"] == "" and "edge of the picture" in cut["ctr_refused"]
    colours = np.asarray(Image.open(tmp_path / "out" / whole["overlay"])).astype(int)
    assert colours.shape == (600, 600, 3)
    assert (colours[..., 0] - colours[..., 1])[heart].mean() > 10 > (colours[..., 0] - colours[..., 1])[right].mean()


def test_a_network_without_a_heart_leaves_its_columns_empty(tmp_path):
    file, *_ = planted_file("wide", tmp_path)
    ((_, row),) = segment_files(BRIGHT, [file], tmp_path / "out")
    assert row["heart_px"] is row["heart_mm2"] is None
    assert row["ctr"] == row["ctr_refused"] == ""
    with pytest.raises(ValueError, match="--structure heart: this network segments lungs"):
        next(segment_files(BRIGHT, [file], tmp_path / "other", structure="heart"))
    assert not (tmp_path / "other").exists()


def test_dicom_files_get_a_segmentation_object_and_others_all_else(tmp_path):
    pytest.importorskip("highdicom", reason="highdicom is not installed (extra seg)")
    picture, *_ = planted_organs(200, 200)
    Image.fromarray(picture).save(tmp_path / "a.png")
    (tmp_path / "b.dcm").write_bytes(dicom(picture.astype(np.uint16) * 16, **IDENTITY))
    (tmp_path / "c.dcm").write_bytes(dicom(picture.astype(np.uint16) * 16))
    files = [tmp_path / name for name in ("a.png", "b.dcm", "c.dcm")]
    rows = dict(segment_files(ORGANS, files, tmp_path / "out", dicom_seg=True))
    assert "dicom_seg" not in rows[files[0]]
    assert rows[files[1]]["dicom_seg"] == "b-seg.dcm"
    assert "c.dcm: no SOP" in rows[files[2]]  # nothing can refer to it, so nothing of it is written
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "a-mask.png", "a-overlay.jpg", "b-mask.png", "b-overlay.jpg", "b-seg.dcm", "segmentations.csv",
    ]  # fmt: skip
