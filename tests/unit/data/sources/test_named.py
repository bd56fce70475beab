"""The named sets: from their published layouts to the right cases, to a score and to a trained network."""

import json
import re

import numpy as np
import pytest
from samples import config
from sets import SETS, N, drawn, png, table
from support import archive

from cxrseg.config import TrainConfig
from cxrseg.data.prepare import prepare, read
from cxrseg.data.sources import SOURCES, find_cases
from cxrseg.evaluate import external
from cxrseg.train.fold import train

EXPECTED = {  # class and patient of the first N cases
    "jsrt": (["Normal", "Nodule"] * 2, [None] * N),
    "montgomery": (["Normal", "Tuberculosis"] * 2, [None] * N),
    "shenzhen": (["Normal", "Tuberculosis"] * 2, [None] * N),
    "darwin": (["COVID", "Non-COVID", "Normal", "Non-COVID"], [None] * N),
    "chexmask": (["all"] * N, ["00000001", "00000001", "00000002", "00000003"]),
    "csv": (["TB", "COVID"] * 2, ["p1", "p1", "p2", "p3"]),
}


@pytest.mark.parametrize("name", SETS)
def test_set_becomes_the_right_cases(tmp_path, name):
    cases = find_cases(config(name, SETS[name](tmp_path)))
    labels, groups = EXPECTED[name]
    assert len(cases) == N
    order = [1, 3, 0, 2] if name == "jsrt" else range(N)  # JSRT's names sort by finding
    for case, k in zip(sorted(cases, key=lambda case: case.case_id), order, strict=True):
        image, right, left = drawn(k)
        found, (mask,), _ = read(case, ["lungs"])
        assert (case.label, case.group) == (labels[k], groups[k])
        truth = right | left
        if name == "jsrt":
            found, truth = found[4::8, 4::8], truth
            mask = mask[4::8, 4::8]
        assert np.corrcoef(found.ravel(), image.ravel())[0, 1] > 0.98
        assert np.mean(mask != truth) < (0.01 if name == "darwin" else 1e-9)  # a polygon covers half of its border


@pytest.mark.parametrize("name", ["jsrt", "montgomery", "chexmask"])
def test_sides_are_the_patients(tmp_path, name):
    (case, *_) = find_cases(config(name, SETS[name](tmp_path), structures=["right_lung", "left_lung"]))
    right, left = (case.masks[side]() for side in ("right_lung", "left_lung"))
    middle = right.shape[1] // 2
    assert right.any() and not right[:, middle:].any()
    assert left.any() and not left[:, :middle].any()


def test_set_in_a_zip(tmp_path):
    path = SETS["montgomery"](tmp_path / "a")
    members = {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}
    assert len(find_cases(config("montgomery", archive(tmp_path / "a.zip", members)))) == N


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_set_is_scored_and_trained_on(tmp_path, monkeypatch, name):
    path = SETS[name](tmp_path / name)
    monkeypatch.setattr("cxrseg.paths.runs", lambda: tmp_path / "runs")
    scores = external.evaluate_external("default", name, path)
    assert scores["n_cases"] == N and scores["dice"]["mean"] > 0.9  # phantoms are what the default model learnt from
    prepare(config(name, path, image_size=64, folds=3), tmp_path / "data")
    tiny = TrainConfig(input_size=32, base_filters=2, depth=2, epochs=1, batch_size=2)
    train(tiny, tmp_path / "data", tmp_path / "fold-0", 0)
    assert json.loads((tmp_path / "fold-0" / "train.json").read_text())["n_testing"] in (1, 2)


@pytest.mark.parametrize("name", [name for name in SOURCES if name not in ("phantom", "rsua")])
def test_another_folder_is_refused_in_one_line(tmp_path, name):
    (tmp_path / "notes.txt").write_text("nothing")
    where = tmp_path / "notes.txt" if name == "csv" else tmp_path
    with pytest.raises(ValueError, match="expected") as caught:
        find_cases(config(name, where))
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)


def test_every_source_says_where_it_comes_from():
    for name, module in SOURCES.items():
        assert all(module.ABOUT[:3]), name


DAMAGED = {
    "jsrt": ("All247images/JPCNN001.IMG", b"\0" * 100, r"JPCNN001\.IMG: has 100 bytes; expected 8,388,608"),
    "chexmask": ("OriginalResolution/ChestX-Ray8.csv", b"1 2 3", "run-length code does not fit 256 x 256"),
    "darwin": ("releases/all-images/annotations/1.json", b"{", r"1\.json: not an annotation in Darwin JSON"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_file_is_named(tmp_path, name):
    file, content, problem = DAMAGED[name]
    path = SETS[name](tmp_path)
    if name == "chexmask":
        table = (path / file).read_text().splitlines(keepends=True)
        content = re.sub(r'(0\.9,0\.95,"[^"]*",)[\d ]+,', rf"\g<1>{content.decode()},", "".join(table)).encode()
    (path / file).write_bytes(content)
    with pytest.raises(ValueError, match=problem) as caught:
        for case in find_cases(config(name, path)):
            read(case, ["lungs"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("by", ["path", "folder"])
def test_images_of_one_name_are_told_apart_by_their_folder(tmp_path, by):
    """Darwin keeps folders; the annotation says which, or lies in one of the same name."""
    path = SETS["darwin"](tmp_path)
    for old, folder in ((0, "A"), (1, "B")):
        for file in (path / f"images/{old}.png", path / f"releases/all-images/annotations/{old}.json"):
            (file.parent / folder).mkdir(exist_ok=True)
            file.rename(file.parent / folder / f"x{file.suffix}")
        note = path / "releases/all-images/annotations" / folder / "x.json"
        content = json.loads(note.read_text())
        item = content.get("image") or content["item"]
        item["filename" if "image" in content else "name"] = "x.png"
        item |= {"path": f"/{folder}"} if by == "path" else {}
        note.write_text(json.dumps(content))
        if by == "path":
            note.rename(note.parent.parent / f"{folder}.json")
    cases = find_cases(config("darwin", path))
    assert len({case.case_id for case in cases}) == len(cases) == N
    for case, number in zip(cases, [2, 3, 0, 1], strict=True):
        image, right, left = drawn(number)
        assert np.array_equal(case.image(), image)
        assert np.mean(case.masks["lungs"]() != (right | left)) < 0.01


def test_an_image_goes_only_to_its_own_annotation(tmp_path):
    path = SETS["darwin"](tmp_path)
    notes = path / "releases/all-images/annotations"
    for number, folder in ((0, "A"), (2, "B")):  # of version 2
        content = json.loads((notes / f"{number}.json").read_text())
        content["item"] |= {"name": "x.png", "path": f"/{folder}"}
        (notes / f"{number}.json").write_text(json.dumps(content))
    (path / "images" / "B").mkdir()
    (path / "images" / "2.png").rename(path / "images" / "B" / "x.png")
    cases = {case.case_id: case for case in find_cases(config("darwin", path))}
    assert np.array_equal(cases["2"].image(), drawn(2)[0])
    with pytest.raises(ValueError, match=r"0\.json: its image A/x\.png is missing"):
        cases["0"].image()


@pytest.mark.parametrize("points", [[], [[1, 2]], [[1, 2], [3, float("nan")], [5, 6]]])
def test_an_outline_that_is_no_polygon_costs_its_case_alone(tmp_path, points):
    path = SETS["darwin"](tmp_path)
    file = path / "releases/all-images/annotations/1.json"
    content = json.loads(file.read_text())
    content["annotations"][1]["polygon"]["path"] = [{"x": x, "y": y} for x, y in points] or [{"x": 1, "y": 1}] * 2
    file.write_text(json.dumps(content))
    bad = [case for case in find_cases(config("darwin", path)) if case.case_id == "1"]
    with pytest.raises(ValueError, match=r"1\.json: an outline is no polygon"):
        read(bad[0], ["lungs"])


@pytest.mark.parametrize("height", ["inf", "1e400", ""])
def test_a_row_without_a_size_is_left_out(tmp_path, height):
    path = SETS["chexmask"](tmp_path)
    table = path / "OriginalResolution/ChestX-Ray8.csv"
    first, rest = table.read_text().split(",256,256\n", 1)
    table.write_text(f"{first},{height},256\n{rest}")
    assert len(find_cases(config("chexmask", path))) == N - 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("picture,mask\na.png,b.png", "has the columns picture, mask; expected"),
        ("image,class\na.png,x", "has no column with masks of the lungs"),
        ("image,mask\na.png,b.png\n./a.png,c.png", r"lists a\.png twice; expected each image"),
        ("image,mask\na.png,b.png\nc.png,b.png", r"lists b\.png twice; expected each mask"),
        ("image,mask\na.png,b.png,c.png", "row 2 has 3 fields, the header 2"),
        ("image,mask\n,\na.png,b.png,c.png", "row 3 has 3 fields, the header 2"),
        ("image,mask,mask\na.png,b.png,c.png", "two columns are called 'mask'"),
        ("image,heart\na.png,b.png", "expected one called lungs or mask"),
        ("", "not a CSV file .empty"),
    ],
)
def test_table_without_what_it_needs(tmp_path, text, problem):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(ValueError, match=problem):
        find_cases(config("csv", tmp_path / "list.csv"))


def test_rows_of_empty_cells_are_no_cases(tmp_path):
    path = SETS["csv"](tmp_path)
    path.write_text(path.read_text() + "\n;;;\n;;;\n")
    assert len(find_cases(config("csv", path))) == N


@pytest.mark.parametrize(
    "text",
    [
        "image;mask;class;;\nfilms/0.png;masks/0.png;TB;;\n;;;;\n",
        "sep=;\nimage;mask;class\nfilms/0.png;masks/0.png;TB\n",
        "\nimage\tmask\tclass\nfilms/0.png\tmasks/0.png\tTB\n",
        "sep=\t\nimage\tmask\tclass\nfilms/0.png\tmasks/0.png\tTB\n",
        "image,mask,class\nfilms\\0.png,masks\\0.png,TB\n",
        "image , mask,class\nfilms/0.png ,masks/0.png , TB\n",
    ],
    ids=["empty columns", "line for Excel", "blank line", "tabs said", "Windows", "spaces"],
)
def test_tables_as_programs_write_them(tmp_path, text):
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "0.png").write_bytes(png(drawn(0)[1] * 255))
    path = table(tmp_path)
    path.write_text(text)
    (case,) = find_cases(config("csv", path))
    assert (case.case_id, case.label) == ("films/0.png", "TB") and case.image().ndim == 2
    np.testing.assert_array_equal(case.masks["lungs"](), drawn(0)[1])


def test_a_table_that_is_not_chexmasks_is_named(tmp_path):
    path = SETS["chexmask"](tmp_path)
    (path / "notes.csv").write_text("")
    with pytest.raises(ValueError, match=r"notes\.csv: not a CSV table"):
        find_cases(config("chexmask", path))


def test_masks_of_low_quality_are_said_to_be_left_out(tmp_path):
    path = SETS["chexmask"](tmp_path)
    for file in path.rglob("*.csv"):
        file.write_text(re.sub(r"0\.9,0\.95,", "0.1,0.1,", file.read_text()))
    with pytest.raises(ValueError, match=r"all \d+ masks of its radiographs are left out: quality below"):
        find_cases(config("chexmask", path))


def test_table_with_a_column_for_each_structure(tmp_path):
    _, right, left = drawn(0)
    path = table(tmp_path)
    (tmp_path / "r.png").write_bytes(png(right * 255))
    (tmp_path / "l.png").write_bytes(png(left * 255))
    path.write_text("image,right_lung,left_lung\nfilms/0.png,r.png,l.png\nfilms/1.png,r.png,\n")
    first, second = find_cases(config("csv", path, structures=["lungs", "left_lung"]))
    np.testing.assert_array_equal(first.masks["lungs"](), right | left)
    np.testing.assert_array_equal(first.masks["left_lung"](), left)
    with pytest.raises(ValueError, match=r"films/1\.png has no left_lung mask"):
        second.masks["lungs"]()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_table_in_any_encoding_with_any_names_of_its_columns(tmp_path, encoding):
    path = table(tmp_path)
    for name in ("left_lung_mask", "right mask"):
        (tmp_path / f"{name}.png").write_bytes(png(drawn(0)[2 if "left" in name else 1] * 255))
    text = "Image, Left_Lung_Mask, right mask, Patient\nfilms/0.png, left_lung_mask.png, right mask.png, Müller\n"
    path.write_bytes(text.encode(encoding))
    (case,) = find_cases(config("csv", path))
    assert case.group == "Müller"
    np.testing.assert_array_equal(case.masks["lungs"](), drawn(0)[1] | drawn(0)[2])
