"""The page "Try it": its arithmetic against Pillow, NumPy and pydicom, and the page itself in a headless Chromium."""

import base64
import gzip
import io
import json
import re
import shutil
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import psutil
import pydicom
import pytest
from pictures import DEEP, LOSSLESS, NEAR, ODD, compressed, dicom
from PIL import Image
from pydicom import uid
from samples import CHEST, PLACE, TEMPLATE
from scipy import ndimage
from scipy.ndimage import gaussian_filter
from support import ROOT, TRYIT, bomb, complaints, contrasts, dicom_files, from_square, node, requests, use_theme

from cxrseg import load_model, models
from cxrseg.data.read import images
from cxrseg.data.square import to_square
from cxrseg.evaluate import quality
from cxrseg.evaluate.masks import to_levels, to_masks
from cxrseg.evaluate.predict import Prediction, in_pixels, predict
from cxrseg.measure import heart
from cxrseg.measure.lungs import lung_areas
from cxrseg.phantom import phantom
from cxrseg.report.pages import tryit
from cxrseg.segment import checks
from cxrseg.segment.orientation import confidence, orientation
from cxrseg.train import inputs

PARTS = "_static/tryit"  # where they lie in the rendered book
KINDS = ("wide.png", "tall.jpg", "turned.jpg", "colour.bmp", "deep.png", "window.dcm", "inverted.dcm", "clear.png")


@pytest.mark.parametrize("shape", [(300, 300), (417, 611), (97, 40), (1024, 333), (128, 128)])
def test_resizing_to_the_square_is_pillow_s(shape):
    image = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    found = node("tryit.toSquare(image, width, height, 128)", image=image, height=shape[0], width=shape[1])
    np.testing.assert_array_equal(np.reshape(found, (128, 128)), to_square(image, 128))


@pytest.mark.parametrize("shape", [(300, 300), (417, 611), (97, 40), (50, 51)])
def test_resizing_back_is_pillow_s(shape):
    square = np.random.default_rng(2).random((128, 128), np.float32)
    found = node(
        "{ const row = tryit.fromSquare(square, 128, w, h); return Array.from({length: h}, (_, y) => [...row(y)]); }",
        square=square, h=shape[0], w=shape[1],
    )  # fmt: skip
    np.testing.assert_array_equal(np.array(found, np.float32), from_square(square, shape))


def test_the_network_sees_the_same():
    square = phantom(3, 1, "COVID", 256, "randomised").image
    found = node("tryit.networkInput(image, 256, 128)", image=square)
    expected = inputs.network_input(square[None], 128)[0]
    np.testing.assert_array_equal(np.array(found, np.float32).reshape(expected.shape), expected)


def test_levels_are_the_same():
    probability = np.random.default_rng(4).random((128, 128), np.float32)
    found = node("tryit.toLevels(p, 128, 256)", p=probability)
    expected = to_levels(inputs.to_grid(probability[None, ..., None], 256))[0, ..., 0]
    np.testing.assert_array_equal(np.reshape(found, (256, 256)), expected)


def test_sixteen_bits_become_eight_as_at_the_command_line(tmp_path):
    values = (np.random.default_rng(4).normal(2000, 500, (61, 83)).clip(0, 65535)).astype(np.uint16)
    values[0, 0] = 65535
    Image.fromarray(values).save(tmp_path / "deep.png")
    file = np.frombuffer((tmp_path / "deep.png").read_bytes(), np.uint8)
    expected = images.read_radiograph(tmp_path / "deep.png")
    np.testing.assert_array_equal(node("tryit.readDeepPng(file)", file=file), values.ravel())
    np.testing.assert_array_equal(np.reshape(node("tryit.toBytes(v)", v=values), values.shape), expected)


@pytest.mark.parametrize("kind", ODD)
def test_odd_dicom_is_shown_as_the_standard_says_and_as_at_the_command_line(kind):
    file = ODD[kind].file()
    found = node("{ try { return tryit.readDicom(file); } catch { return null; } }", file=np.frombuffer(file, np.uint8))
    if ODD[kind].levels is None:
        assert found is None
        return
    grey = np.reshape(found["grey"], ODD[kind].levels.shape).astype(float)
    np.testing.assert_allclose(grey, ODD[kind].levels, atol=1.01)
    assert found["spacing"] == [0.2, 0.3]
    # What a window maps to lies on other numbers there, so that a half may be rounded the other way.
    assert np.mean(grey != images.read_radiograph(file)) < 0.01


def test_dicom_with_sequences_and_a_look_up_table(tmp_path):
    values = np.random.default_rng(6).integers(0, 4096, (20, 30), np.uint16)
    table, unrelated = pydicom.Dataset(), pydicom.Dataset()
    table.LUTDescriptor = [4096, 0, 16]
    table.LUTData = (np.sqrt(np.arange(4096) / 4095) * 65535).astype("<u2").tobytes()
    unrelated.PatientID = "nobody"
    for implicit, undefined in ((False, True), (True, True), (False, False), (True, False)):
        file = tmp_path / f"{implicit}-{undefined}.dcm"
        file.write_bytes(dicom(values, VOILUTSequence=[table], ReferencedStudySequence=[unrelated, unrelated]))
        dataset = pydicom.dcmread(file)
        for name in ("VOILUTSequence", "ReferencedStudySequence"):
            dataset[name].is_undefined_length = undefined
        dataset["VOILUTSequence"].value[0]["LUTData"].VR = "OW"
        dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian if implicit else "1.2.840.10008.1.2.1"
        dataset.save_as(file, implicit_vr=implicit, little_endian=True)
        found = node("tryit.readDicom(file)", file=np.frombuffer(file.read_bytes(), np.uint8))
        np.testing.assert_array_equal(np.reshape(found["grey"], values.shape), images.read_radiograph(file))


@pytest.mark.filterwarnings("ignore::UserWarning")  # of pydicom, about odd files
def test_every_dicom_of_the_test_packages_is_read_as_at_the_command_line():
    files = dicom_files()
    found = node(
        """files.map((file) => { try {
          const { grey, spacing } = tryit.readDicom(new Uint8Array(require("node:fs").readFileSync(file)));
          return { grey: Buffer.from(grey).toString("base64"), spacing };
        } catch (error) { return { error: error.message }; } })""",
        files=list(map(str, files)),
    )
    same = 0
    for file, theirs in zip(files, found, strict=True):
        if "grey" in theirs:
            expected = images.read_radiograph(file)
            np.testing.assert_array_equal(np.frombuffer(base64.b64decode(theirs["grey"]), np.uint8), expected.ravel())
            assert theirs["spacing"] == pytest.approx(images.pixel_spacing(file))
            same += 1
        elif "DICOM without" in theirs["error"] or "damaged" in theirs["error"]:
            with pytest.raises(ValueError, match=r"without pixel|cannot be decoded|palette"):
                images.read_radiograph(file)
    assert same >= 60


@pytest.mark.parametrize(
    ("syntax", "sign"),
    [
        (uid.JPEGLosslessSV1, "JPEG lossless"), (uid.JPEGLSNearLossless, "JPEG-LS"), (uid.JPEGBaseline8Bit, "JPEG"),
        (uid.JPEGExtended12Bit, "JPEG Extended"), (uid.JPEG2000, "JPEG 2000"), (uid.HTJ2K, "HTJ2K"),
        (uid.RLELossless, "RLE"),
    ],
)  # fmt: skip
def test_compression_that_the_command_line_reads_is_named_with_the_command(syntax, sign):
    said = node(
        "{ try { return tryit.readDicom(file); } catch (error) { return error.message; } }",
        file=np.frombuffer(compressed(b"x", syntax), np.uint8),
    )
    assert f" {sign} DICOM;" in said and "cxrseg segment" in said


@pytest.mark.parametrize("threshold", [0.3, 0.5])
@pytest.mark.parametrize("pieces", [0, 2])
@pytest.mark.parametrize("structures", [["lungs"], ["lungs", "right_lung", "left_lung", "heart"]], ids=len)
def test_the_same_is_measured(threshold, pieces, structures):
    made = phantom(8, 2, "Normal", 256, "randomised")
    noise = np.random.default_rng(8).random((256, 256), np.float32)
    soft = [gaussian_filter((255 * (0.7 * getattr(made, name) + 0.3 * noise)), 2) for name in structures]
    levels = np.stack(soft, axis=-1).astype(np.uint8)
    levels[80:88, 120:160] = 230
    if len(structures) > 1:
        levels[..., 0] = np.maximum(levels[..., 1], levels[..., 2])
    masks = to_masks(levels, threshold, pieces, structures)
    found = Prediction(made.image, levels, masks, structures)
    shape = (300, 500)
    ours = np.moveaxis(in_pixels(found, threshold, shape), -1, 0)
    cut = threshold * 255
    kept = np.where(masks, np.where(levels >= cut, levels, 255), np.where(levels >= cut, 0, levels)).astype(np.float32)
    whole = [from_square(kept[..., k], shape) >= cut for k in range(len(structures))]
    if len(structures) > 1:
        whole[0] = whole[1] | whole[2]
    theirs, border, objections = node(
        """{
          const channel = (k) => levels.filter((_, n) => n % names.length === k);
          const given = Object.fromEntries(names.map((name, k) => [name, channel(k)]));
          const kept = tryit.keptLevels(given, 256, t, pieces);
          const cut = Math.fround(t * 255);
          const mask = (parts) => tryit.wholeMask(parts, 256, 500, 300, cut);
          const parts = names.length > 1 ? tryit.SIDES.map((name) => kept[name]) : [kept.lungs];
          const masks = [mask(parts), ...names.slice(1).map((name) => mask([kept[name]]))];
          return [masks, tryit.border(given.lungs, 256, 500, 300), tryit.objections(masks[0], 500, 5, 20)];
        }""",
        levels=levels, names=structures, t=threshold, pieces=pieces,
    )  # fmt: skip
    for mask, expected, near in zip(theirs, whole, ours, strict=True):
        np.testing.assert_array_equal(np.reshape(mask, shape) > 0, expected)
        assert np.mean(expected != near) < 1e-4
    assert border * 300 == lung_areas(np.ones(shape, bool), levels[..., 0])[0]
    assert objections == checks.objections(whole[0], 5, 20)


SHAPES = [(256, 256), (300, 500), (611, 417), (9, 7)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("border", ["none", "white", "noisy", "everywhere"])
def test_borders_are_found_as_at_the_command_line(shape, border):
    rng = np.random.default_rng(shape[0])
    picture = rng.integers(0, 256, shape, np.uint8)
    width = {"none": 0, "everywhere": shape[1]}.get(border, shape[1] // 3)
    picture[:, :width] = 250 + rng.integers(0, 3, (shape[0], width)) if border == "noisy" else 250
    square = to_square(picture, 256)
    found = node("tryit.content(square, 256, w, h)", square=square, w=shape[1], h=shape[0])
    assert tuple(found) == heart.content(square, shape)


@pytest.mark.parametrize("change", ["as it is", "no heart", "no lungs", "wide heart", "beside", "cut", "bordered"])
def test_the_cardiothoracic_ratio_is_that_of_the_command_line(change):
    made = phantom(8, 2, "Normal", 256)
    lung, organ, columns = made.lungs.copy(), made.heart.copy(), [0, 255]
    first = int(np.flatnonzero(lung.any(axis=0))[0])
    if change == "no heart":
        organ[:] = False
    elif change == "no lungs":
        lung[:] = False
    elif change == "wide heart":
        organ = ndimage.binary_dilation(organ, np.ones((1, 3)), 60)
    elif change == "beside":
        organ = np.roll(organ, 70, axis=1)
    elif change == "cut":
        lung, organ = (np.roll(part, -first, axis=1) for part in (lung, organ))
    elif change == "bordered":
        columns[0] = first
    theirs = node(
        "{ const [a, b] = [tryit.extent(organ, 256), tryit.extent(lung, 256)];"
        " return [a && Object.values(a), b && Object.values(b), a && b && tryit.ratio(a, b),"
        " tryit.refusal(organ, lung, 256, columns)]; }",
        organ=organ.view(np.uint8), lung=lung.view(np.uint8), columns=columns,
    )  # fmt: skip
    ours = heart.extent(organ), heart.extent(lung)
    assert theirs[:2] == [list(found) if found else None for found in ours]
    assert theirs[2] == heart.ratio(*ours)
    assert theirs[3] == heart.refusal(organ, lung, tuple(columns))
    assert bool(theirs[3]) == (change != "as it is")


def predictions(side):
    """Return probabilities as networks give them, good and bad, and the radiograph under them."""
    case = phantom(8, 2, "COVID", side, "randomised")
    soft = gaussian_filter(case.lungs.astype(np.float32), side / 60)
    noise = np.random.default_rng(8).random((side, side), np.float32)
    one = soft.copy()
    one[:, side // 2 :] = 0
    return case.image, {
        "good": soft, "unsure": 0.6 * soft + 0.2, "one lung": one, "in pieces": 0.5 * soft + 0.5 * noise,
        "noise": noise, "beside": np.roll(soft, side // 4, axis=1), "everything": np.ones_like(soft),
        "nothing": np.zeros_like(soft), "one pixel": np.eye(side, dtype=np.float32) * (np.arange(side) == 7),
    }  # fmt: skip


@pytest.mark.parametrize(("side", "threshold"), [(128, 0.5), (128, 0.35), (97, 0.5), (256, 0.7)])
def test_the_quality_predicted_is_that_of_the_command_line(side, threshold):
    image, kinds = predictions(side)
    for name, probability in kinds.items():
        score, features = node(
            "[tryit.predictDice(p, image, side, t), tryit.qualityFeatures(p, image, side, t)]",
            p=probability.astype(np.float32), image=image, side=side, t=threshold,
        )  # fmt: skip
        assert score == pytest.approx(quality.predict(probability, image, threshold), abs=1e-9), name
        if features:
            assert features == pytest.approx(quality.features(probability, image, threshold), abs=1e-9), name
        else:
            assert not (probability >= threshold).any()


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("turns", range(4))
def test_a_turned_picture_is_told_as_at_the_command_line(turns, inverted):
    blurred = gaussian_filter(np.rot90(CHEST, turns), 2)
    for picture in (blurred, blurred // 2 + 70, np.tril(blurred)):
        picture = 255 - picture if inverted else picture
        levels = predict(TEMPLATE, picture[None])[0, ..., 0]
        seems, sure = node(
            "{ const run = async (s) => s.map((v, k) => ((v < 127.5 ? 255 : 0) + place[k]) >> 1);"
            " const levels = await run(picture);"
            " const network = { grid: 256, runFirst: run };"
            " return [await tryit.orientation(network, 0.95, picture, levels), tryit.confidence(levels)]; }",
            picture=np.ascontiguousarray(picture), place=PLACE,
        )  # fmt: skip
        assert sure == confidence(levels)
        assert tuple(seems.values()) == orientation(TEMPLATE, 0.95, np.ascontiguousarray(picture), levels)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc, which tells a process' own peak")
def test_a_png_that_unpacks_to_more_than_it_says_takes_little_memory():
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(500)) + packer.flush()
    header = struct.pack(">IIBBBBB", 100, 90, 16, 0, 0, 0, 0)
    chunks = [struct.pack(">I", len(content)) + name + content + bytes(4) for name, content in
              ((b"IHDR", header), (b"IDAT", packed))]  # fmt: skip
    file = np.frombuffer(b"\x89PNG\r\n\x1a\n" + b"".join(chunks), np.uint8)
    # Not resourceUsage: it starts from the memory of the process that was forked, which is this one.
    length, kilobytes = node(
        "{ const pixels = await tryit.readDeepPng(file); const fs = await import('node:fs'); return [pixels.length, "
        "Number(/VmHWM:\\s+(\\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1])]; }",
        file=file,
    )  # fmt: skip
    assert length == 9000
    assert kilobytes < 300_000


def test_written_png_is_read_by_pillow():
    values = np.random.default_rng(9).integers(0, 256, (70, 33), np.uint8)
    text = node(
        "tryit.writePng(33, 70, (y) => v.subarray(33 * y, 33 * y + 33)).then(async (b) => "
        "Buffer.from(await b.arrayBuffer()).toString('base64'))",
        v=values,
    )  # fmt: skip
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))), values)


def test_packages_are_locked_and_name_no_address():
    project = ROOT / "book" / "tryit"
    wanted = json.loads((project / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    text = (project / "package-lock.json").read_text()
    assert "://" not in text
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())


# From here on, in a browser.


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with one chest in every kind of file that the page reads."""
    folder = tmp_path_factory.mktemp("kinds")
    grey = np.asarray(Image.fromarray(phantom(1, 0, "Normal", 256).image).resize((900, 640)))
    deep = grey.astype(np.uint16) * 16
    Image.fromarray(grey).save(folder / "wide.png")
    Image.fromarray(grey.T.copy()).save(folder / "tall.jpg", quality=95)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(grey)).convert("RGB").save(folder / "turned.jpg", exif=exif, quality=95)
    Image.merge("RGB", [Image.fromarray(a) for a in (grey, grey // 2, 255 - grey)]).save(folder / "colour.bmp")
    Image.fromarray(deep).save(folder / "deep.png")
    (folder / "window.dcm").write_bytes(dicom(deep, PixelSpacing=[0.4, 0.4], WindowCenter=2000, WindowWidth=3500))
    (folder / "inverted.dcm").write_bytes(dicom(4095 - deep, "MONOCHROME1"))
    alpha = np.full_like(grey, 255)
    alpha[:100] = 0
    Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)]).save(folder / "clear.png")
    return folder


class Page:
    """The page, as a person uses it."""

    def __init__(self, browser, url):
        self.browser = browser
        browser.get(f"{url}/book/tryit.html")

    def part(self, name):
        return self.browser.find_element("id", f"tryit-{name}")

    def until(self, done, seconds=60):
        end = time.monotonic() + seconds
        while not (found := done()):
            assert time.monotonic() < end, self.browser.find_element("id", "tryit").text
            time.sleep(0.05)
        return found

    def choose(self, file):
        self.browser.execute_script("document.getElementById('tryit-status').textContent = '…'")
        self.part("file").send_keys(str(file))
        self.until(lambda: "outlined" in self.part("status").text or not self.part("status").text)

    def move_to(self, threshold):
        slider = self.part("threshold")
        self.browser.execute_script(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", slider, threshold
        )

    def mask(self, folder):
        file = folder / re.sub(r"\..*$", "-mask.png", self.browser.execute_script("return tryit.shown.name"))
        file.unlink(missing_ok=True)
        self.part("save").click()
        # Its name is taken before its content is there.
        self.until(lambda: file.is_file() and file.stat().st_size and not list(folder.glob("*.crdownload")))
        return np.asarray(Image.open(file))


@pytest.mark.browser
@pytest.mark.parametrize("way", ["http", "file"])
def test_mask_is_the_command_line_s(way, chromium, html, address, files, exported, checkout, monkeypatch, tmp_path):
    monkeypatch.chdir(checkout)
    model = load_model("tiny")
    base = address if way == "http" else html.as_uri()
    page = Page(chromium(), base)
    for name in KINDS:
        page.choose(files / name)
        assert "outlined" in page.part("status").text, page.part("warning").text
        image = images.read_radiograph(files / name)
        levels = predict(model.network, to_square(image, model.network.grid)[None])
        # A threshold that cuts the picture in two, whatever the little network has learned.
        threshold = float(np.clip(round(float(np.quantile(levels, 0.7) / 255), 2), 0.02, 0.98))
        page.move_to(threshold)
        assert page.part("value").text == f"{threshold:.2f}"
        expected = model.segment(image, threshold)
        mask = page.mask(tmp_path)
        assert mask.shape == image.shape
        assert set(np.unique(mask)) <= {0, 255}
        assert np.mean((mask > 0) != expected.mask) <= 0.001
        counts = [int(page.part(side).text.split(" ")[0].replace(",", "")) for side in ("left", "right")]
        assert np.abs(np.subtract(counts, (expected.left_px, expected.right_px))).max() <= 0.001 * image.size
        assert float(page.part("score").text) == pytest.approx(expected.predicted_dice, abs=0.006)
        said = page.part("warning").text if page.part("warning").is_displayed() else ""
        assert said == (f"Check this one: {expected.warning}." if expected.warning else "")
    assert "cm²" not in page.part("left").text
    assert not page.part("heart").is_displayed()  # the tiny network knows none
    page.choose(files / "window.dcm")
    assert "cm²" in page.part("left").text
    assert [url for url in requests(page.browser)[0] if not url.startswith((base, "data:", "blob:"))] == []
    assert complaints(page.browser) == []


@pytest.mark.browser
def test_lungs_heart_and_ratio_are_the_command_line_s(chromium, html, files, tmp_path):
    # The page of the tiny run, with the network that comes with the package.
    shutil.copytree(html / "_static", tmp_path / "_static")
    (tmp_path / "book").mkdir()
    for file in ("book/tryit.html", "searchindex.js"):
        shutil.copy(html / file, tmp_path / file)
    for part, file in {"model": models.graph_file("default"), "info": models.card_file("default")}.items():
        tryit.write_part(tmp_path / PARTS, part, file.read_bytes())
    made = phantom(2, 3, "Normal", 700)
    first, *_, last = np.flatnonzero(made.lungs.any(axis=0))
    Image.fromarray(made.image).save(tmp_path / "normal.png")
    Image.fromarray(made.image[:, first + 10 : last - 10]).save(tmp_path / "cut.png")
    model, page = load_model(), Page(chromium(), tmp_path.as_uri())
    ratios = {}
    for file in (tmp_path / "normal.png", tmp_path / "cut.png", files / "window.dcm"):
        page.choose(file)
        expected = model.segment(file)
        assert np.mean((page.mask(tmp_path) > 0) != expected.mask) <= 0.001
        sizes = {"left": expected.left_px, "right": expected.right_px, "heart": expected.heart_px}
        for name, size in sizes.items():
            found = int(page.part(name).text.split(" ")[0].replace(",", ""))
            assert abs(found - size) <= 0.001 * expected.image.size
        ratios[file.name] = page.part("ctr").text
        if expected.ctr is None:
            assert ratios[file.name] == f"none: {expected.ctr_refused}"
        else:
            assert float(ratios[file.name]) == pytest.approx(expected.ctr, abs=0.0051)
            assert "Cardiothoracic ratio" in page.part("canvas").get_attribute("aria-label")
        said = page.part("warning").text if page.part("warning").is_displayed() else ""
        assert said == (f"Check this one: {expected.warning}." if expected.warning else "")
    assert 0.3 < float(ratios["normal.png"]) < 0.7
    assert "none: " in ratios["cut.png"]
    assert complaints(page.browser) == []


@pytest.mark.browser
def test_pictures_are_decoded_as_at_the_command_line(chromium):
    browser = chromium()
    names = ("resize", "depth", "png", "dicom", "decode")
    browser.execute_script("".join((TRYIT / f"{name}.js").read_text() for name in names))
    pictures = {name: file for name, file in {**LOSSLESS, **DEEP, **NEAR}.items() if not name.startswith("tiff")}
    for name, file in pictures.items():
        found = browser.execute_async_script(
            """const [text, done] = arguments;
            const file = new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
            tryit.decode(file).then(({ grey, width, height }) => done({ grey: [...grey], shape: [height, width] }))
              .catch((error) => done({ error: error.message }));""",
            base64.b64encode(file).decode(),
        )
        assert "error" not in found, f"{name}: {found}"
        expected = images.read_radiograph(file)
        assert tuple(found["shape"]) == expected.shape, name
        difference = np.abs(np.reshape(found["grey"], expected.shape) - expected.astype(int))
        assert difference.max() == 0 if name not in NEAR else difference.mean() < 2, name


@pytest.mark.browser
def test_first_load_is_light(chromium, html, address):
    page = Page(chromium(), address)
    page.browser.find_element("css selector", "#tryit-samples button").click()
    page.until(lambda: "outlined" in page.part("status").text)
    # The little network weighs nothing; the one that comes with the package is what a reader loads.
    packed = [
        len(gzip.compress(models.graph_file("default").read_bytes(), 9)),
        (html / PARTS / "model.bin").stat().st_size,
    ]
    assert requests(page.browser)[1] + packed[0] - packed[1] < 8e6


@pytest.mark.browser
def test_with_the_keyboard_alone(chromium, address, tmp_path):
    from selenium.webdriver.common.keys import Keys

    page = Page(chromium(), address)
    sample = page.browser.find_element("css selector", "#tryit-samples button")
    sample.send_keys(Keys.ENTER)
    page.until(lambda: "outlined" in page.part("status").text)
    before = page.part("value").text
    page.part("threshold").send_keys(Keys.ARROW_RIGHT * 3)
    assert float(page.part("value").text) == pytest.approx(float(before) + 0.03)
    page.part("save").send_keys(Keys.ENTER)
    page.until((tmp_path / "sample-1-mask.png").is_file)
    # What a screen reader says: every control has a name, and the picture a text that tells the areas.
    assert page.part("file").accessible_name.startswith("Drop a chest X-ray here")
    assert page.part("threshold").accessible_name.startswith("Threshold")
    assert "left lung" in page.part("canvas").accessible_name
    assert sample.accessible_name == "Synthetic X-ray 1: Normal"
    assert page.part("status").get_attribute("role") == "status"


@pytest.mark.browser
@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")])
def test_readable_on_a_phone_in_light_and_dark(width, theme, chromium, address):
    page = Page(chromium(width, 900), address)
    use_theme(page.browser, theme)
    page.browser.find_element("css selector", "#tryit-samples button").click()
    page.until(lambda: "outlined" in page.part("status").text)
    assert page.browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    shares = contrasts(page.browser, *(f"#tryit {kind}" for kind in ("strong", "p", "button", "th", "td", "label")))
    assert len(shares) > 10
    assert min(shares) >= 4.5  # WCAG 2.2, 1.4.3


def peak_memory(browser):
    """Return the most that any process of a browser has held, bytes; 0 where the system does not say."""
    processes = psutil.Process(browser.service.process.pid).children(recursive=True)
    status = [file.read_text() for p in processes if (file := Path(f"/proc/{p.pid}/status")).is_file()]
    return max((1024 * int(kib) for text in status for kib in re.findall(r"VmHWM:\s+(\d+)", text)), default=0)


@pytest.mark.browser
def test_what_is_no_radiograph_is_one_clear_line(chromium, address, files, tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.txt").write_text("this is text")
    Image.new("L", (90, 70), 99).save(tmp_path / "blank.png")
    (tmp_path / "bomb.png").write_bytes(bomb(60_000, 60_000))
    (tmp_path / "wide.png").write_bytes(bomb(20_000, 300))
    (tmp_path / "cut.jpg").write_bytes((files / "tall.jpg").read_bytes()[:40])
    (tmp_path / "cut.dcm").write_bytes((files / "window.dcm").read_bytes()[:2000])
    (tmp_path / "damaged.png").write_bytes((files / "deep.png").read_bytes()[:2000])
    photo = np.zeros((300, 400, 3), np.uint8)
    photo[50:250, 100:330] = 255, 240, 200
    Image.fromarray(photo).save(tmp_path / "photo.jpg")
    (tmp_path / "nothing.dcm").write_bytes(dicom(np.ones((8, 8), np.uint16)))
    dataset = pydicom.dcmread(tmp_path / "nothing.dcm")
    del dataset.PixelData
    dataset.save_as(tmp_path / "nothing.dcm")
    expected = {
        "empty.png": "empty", "blank.png": "one grey",
        "text.txt": "not an image", "bomb.png": "60000 x 60000", "wide.png": "20000 x 300",
        "cut.jpg": "damaged", "cut.dcm": "damaged", "damaged.png": "damaged", "nothing.dcm": "without pixel data",
    }  # fmt: skip
    page = Page(chromium(), address)
    for name, sign in expected.items():
        page.choose(tmp_path / name)
        assert page.part("warning").text.startswith(f"{name}: "), name
        assert sign in page.part("warning").text
        assert not page.part("result").is_displayed()
    page.choose(tmp_path / "photo.jpg")
    assert "does not look like a frontal chest X-ray" in page.part("warning").text
    page.choose(files / "wide.png")  # and the page is alive
    assert page.part("result").is_displayed()
    assert peak_memory(page.browser) < 1e9
    assert complaints(page.browser) == []
