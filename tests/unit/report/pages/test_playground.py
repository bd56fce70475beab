"""The page "Phantom playground": one thing changes at a time, and the scores are those of the stored outlines."""

import base64
import io
import json

import numpy as np
import pytest
from matplotlib.path import Path as Polygon
from PIL import Image
from scipy.ndimage import rotate
from sklearn.metrics import f1_score

from cxrseg.phantom.parameters import SETTINGS
from cxrseg.report.pages import playground

CENTRES = np.stack(np.meshgrid(*[np.arange(playground.SIZE) + 0.5] * 2), axis=-1).reshape(-1, 2)


def filled(path, size=playground.SIZE):
    """Return the mask of an SVG path in half pixels: the centres that lie within an odd number of its polygons."""
    centres = CENTRES.reshape(playground.SIZE, playground.SIZE, 2)[:size, :size].reshape(-1, 2)
    inside = np.zeros(len(centres), bool)
    for part in path.removesuffix("z").split("z") if path else ():
        start, sides = part.removeprefix("M").split("l")
        steps = [[int(number) for number in pair.split(",")] for pair in [start, *sides.split(" ")]]
        inside ^= Polygon(np.cumsum(steps, axis=0) / 2).contains_points(centres)
    return inside.reshape(size, size)


@pytest.fixture(scope="module")
def sliders():
    """Return what the page holds, by slider, after a round trip through JSON."""
    return {slider["name"]: slider for slider in json.loads(json.dumps(playground.content()))["sliders"]}


def dices(slider, organ):
    return np.array([shot["dice"][organ] for shot in slider["shots"]])


def test_an_outline_is_its_mask():
    rng = np.random.default_rng(3)
    shapes = [rng.random((24, 24)) < share for share in (0, 0.02, 0.3, 0.5, 0.8, 1)]
    ring = np.zeros((24, 24), bool)
    ring[2:20, 2:20], ring[6:9, 6:9] = True, False
    for mask in [*shapes, ring]:
        np.testing.assert_array_equal(filled(playground.outline(mask), 24), mask)
    assert playground.outline(ring).count("z") == 2


def test_the_usual_step_is_the_same_picture_on_all_sliders(sliders):
    usual = playground.chest()
    for name, slider in playground.SLIDERS.items():
        made = playground.chest(name, slider.usual)
        for one, other in zip(made, usual, strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(playground.picture(name, slider.usual, made), usual.image)
    assert len({json.dumps(one["shots"][one["usual"]]) for one in sliders.values()}) == 1


def test_nothing_else_changes():
    usual = playground.chest()
    for name in ("exposure", "disease", "noise"):
        for step in playground.SLIDERS[name].steps:
            made = playground.chest(name, step)
            for organ in ("right_lung", "left_lung", "heart"):
                np.testing.assert_array_equal(getattr(made, organ), getattr(usual, organ))
    for step in playground.SLIDERS["breath"].steps:  # the apices stay where they are
        np.testing.assert_array_equal(playground.chest("breath", step).right_lung[:60], usual.right_lung[:60])
    for step in (value for value in playground.SLIDERS["heart"].steps if value <= 100):
        np.testing.assert_array_equal(playground.chest("heart", step).lungs[:60], usual.lungs[:60])


@pytest.mark.parametrize("step", playground.SLIDERS["rotation"].steps)
def test_a_turned_chest_is_the_usual_one_turned(step):
    made, usual = playground.chest("rotation", step), playground.chest()
    # SciPy turns anticlockwise as one looks at the picture, so this turns the chest back.
    back = rotate(made.lungs.astype(float), step, reshape=False, order=1) > 0.5
    assert f1_score(usual.lungs.ravel(), back.ravel()) > 0.95


def test_masks_are_those_of_the_phantom(sliders):
    for name, slider in sliders.items():
        for step, shot in zip(playground.SLIDERS[name].steps, slider["shots"], strict=True):
            made = playground.chest(name, step)
            np.testing.assert_array_equal(filled(shot["truth"]["lungs"]), made.right_lung | made.left_lung)
            np.testing.assert_array_equal(filled(shot["truth"]["heart"]), made.heart)


def test_stored_scores_are_those_of_the_stored_outlines(sliders):
    for slider in sliders.values():
        for shot in slider["shots"]:
            masks = {kind: {organ: filled(path) for organ, path in shot[kind].items()} for kind in ("truth", "found")}
            for organ, dice in shot["dice"].items():
                again = f1_score(masks["truth"][organ].ravel(), masks["found"][organ].ravel())
                assert dice == pytest.approx(again, abs=1e-12)
            for kind, ratio in (("truth", shot["true_ratio"]), ("found", shot["ratio"])):
                widths = [np.ptp(np.nonzero(masks[kind][organ])[1]) + 1 for organ in ("heart", "lungs")]
                assert ratio is None or ratio == pytest.approx(widths[0] / widths[1])
            assert (shot["ratio"] is None) == bool(shot["refused"])


def test_the_picture_is_the_one_that_was_segmented(sliders):
    for name, slider in sliders.items():
        for step, shot in zip(playground.SLIDERS[name].steps, slider["shots"], strict=True):
            shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(shot["picture"]))).convert("L"), float)
            image = playground.picture(name, step, playground.chest(name, step))
            assert np.corrcoef(shown.ravel(), image.ravel())[0, 1] > 0.9


def test_numbers_along_a_slider(sliders):
    for slider in sliders.values():
        assert slider["values"] == sorted(slider["values"])
    assert sliders["disease"]["values"][0] == 0  # the usual chest is healthy
    assert sliders["disease"]["values"][-1] > 90


def test_noise_has_the_strength_that_it_says():
    grey = np.full((200, 200), 128, np.uint8)
    found = playground.noisy(grey, 0.1).astype(float)
    assert found.std() == pytest.approx(25.5, rel=0.02)
    assert found.mean() == pytest.approx(127.5, abs=0.5)


def test_true_ratio_grows_with_the_heart_and_with_a_shallower_breath(sliders):
    ratios = {name: [shot["true_ratio"] for shot in slider["shots"]] for name, slider in sliders.items()}
    assert (np.diff(ratios["heart"]) > 0).all()
    assert (np.diff(ratios["breath"]) < 0).all()
    assert np.ptp(ratios["rotation"]) > 0.05
    assert np.ptp(ratios["exposure"]) == np.ptp(ratios["disease"]) == np.ptp(ratios["noise"]) == 0


def test_it_breaks_somewhere_and_the_usual_chest_is_easy(sliders):
    for name, slider in sliders.items():
        assert min(slider["shots"][slider["usual"]]["dice"].values()) > 0.95
        assert min(dices(slider, organ).min() for organ in ("lungs", "heart")) < (0.95 if name == "heart" else 0.9)


def test_the_answers_of_the_page(sliders):
    # 1. Exposure: the lungs are lost at both ends only.
    lost = dices(sliders["exposure"], "lungs") < 0.9
    assert lost.tolist() == [True, *[False] * 5, True]
    # 2. A shallower breath: the measured ratio rises, then falls; the chest is narrower, the heart found too narrow.
    shots = sliders["breath"]["shots"]
    measured = [shot["ratio"] for shot in shots]
    assert measured[4] < measured[3] < measured[2]
    assert measured[0] < measured[1] < measured[2]
    widths = [np.ptp(np.nonzero(filled(shot["truth"]["lungs"]))[1]) for shot in shots]
    assert widths == sorted(widths)
    found, truth = (np.ptp(np.nonzero(filled(shots[0][kind]["heart"]))[1]) for kind in ("found", "truth"))
    assert found < truth
    learnt = SETTINGS["randomised"].table["lungs"]["dome_top"]
    domes = [playground.SLIDERS["breath"].changes(step)["lungs"]["dome_top"] for step in (50, 60, 70, 85)]
    assert max(domes[:3]) < learnt.low < domes[3]
    # 3. Turned: a warning at both ends, of a quarter turn; none at two thirds of it, where the heart is poor.
    warnings = [shot["warning"] for shot in sliders["rotation"]["shots"]]
    assert "90 degrees counter-clockwise" in warnings[0]
    assert "90 degrees clockwise" in warnings[-1]
    assert not any(warnings[1:-1])
    assert max(dices(sliders["rotation"], "heart")[[1, 5]]) < 0.85
    # 4. The smallest heart is drawn too wide without a warning; the white lungs are found, with one.
    small, white = sliders["heart"]["shots"][0], sliders["disease"]["shots"][-1]
    assert small["ratio"] > small["true_ratio"] + 0.03
    assert small["dice"]["heart"] < 0.9
    assert not small["warning"]
    assert white["dice"]["lungs"] > 0.9
    assert white["warning"]


def test_staging_writes_once_and_again_when_the_code_changes(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(playground, "content", lambda: drawn.append(1) or {"size": len(drawn)})
    for _ in range(2):
        playground.assemble(tmp_path / "new")
    assert len(drawn) == 1
    monkeypatch.setattr(playground, "digest", lambda: "other")
    playground.assemble(tmp_path / "new")
    text = (tmp_path / "new" / "data.js").read_text()
    assert len(drawn) == 2
    assert '{"size": 2}' in text


def test_the_data_of_the_page_are_small(sliders):
    assert len(json.dumps(sliders)) < 2_000_000
