"""The page "Move the threshold": its scores against `cxrseg.evaluate.metrics`, in Node and in a headless Chromium."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from support import complaints, contrasts, node, requests, use_theme

from cxrseg.evaluate.masks import to_masks
from cxrseg.evaluate.metrics import overlap
from cxrseg.phantom import phantom
from cxrseg.report import cases as report_cases
from cxrseg.report.pages.threshold import choose

THRESHOLDS = [k / 100 for k in range(1, 100)]
SCORES = ("dice", "iou", "sensitivity", "precision")


def test_the_worst_the_median_the_best_and_one_of_each_class():
    table = pd.DataFrame({"label": ["A", "A", "B", "A", "B", "B", "B"]})  # sorted by Dice
    assert choose(table) == {
        0: "worst of all", 3: "median of all", 6: "best of all", 1: "median of A", 5: "median of B",
    }  # fmt: skip
    assert choose(table[:1]) == {0: "worst of all"}


@pytest.mark.parametrize("pieces", [0, 2])
@pytest.mark.parametrize("structures", [["lungs"], ["heart"], ["lungs", "right_lung", "left_lung"]], ids="-".join)
def test_scores_are_those_of_the_package(pieces, structures):
    truth = phantom(4, 1, "COVID", 64).lungs
    noise = np.random.default_rng(4).random(truth.shape)
    soft = gaussian_filter(np.roll(truth, 2, axis=0).astype(float), 2)
    nothing = np.zeros_like(truth)
    cases = [(truth, np.clip(0.8 * soft + 0.2 * noise, 0, 1)), (truth, nothing + 0.0), (nothing, nothing + 0.0),
             (nothing, soft), (truth, truth + 0.0)]  # fmt: skip
    for reference, probability in cases:
        levels = np.round(255 * probability).astype(np.uint8)[..., None]
        if len(structures) > 1:
            right, left = levels.copy(), levels.copy()
            right[:, 34:] = left[:, :30] = 0  # the sides overlap
            levels = np.concatenate([levels, right, left], axis=-1)
        tested = report_cases.TestCases(
            None, None, None, levels[None], np.arange(1), np.arange(1), 0.5, pieces, structures
        )  # fmt: skip
        parts, kept = tested.parts(0)
        found = node(
            "thresholds.map((t) => tryit.overlap(truth, tryit.maskAt(same ? [a] : [a, b], 64, t, pieces)))",
            truth=reference.astype(np.uint8), a=parts[0], b=parts[-1], same=len(parts) == 1, pieces=kept,
            thresholds=THRESHOLDS,
        )  # fmt: skip
        for threshold, scores in zip(THRESHOLDS, found, strict=True):
            mask = to_masks(levels, threshold, pieces, structures)[..., 0]
            expected = overlap(reference, mask)
            assert {name: scores[name] for name in SCORES} == {name: expected[name] for name in SCORES}
            assert scores["missed"] == np.count_nonzero(reference & ~mask)
            assert scores["extra"] == np.count_nonzero(mask & ~reference)


# From here on, in a browser.


class Page:
    """The page, as a person uses it."""

    def __init__(self, browser, base):
        self.browser = browser
        browser.implicitly_wait(20)
        browser.set_script_timeout(120)
        browser.get(f"{base}/book/threshold.html")
        self.drawn()

    def part(self, name):
        return self.browser.find_element("id", f"threshold-{name}")

    def drawn(self):
        """Wait for the whole curve, and return its points."""
        self.browser.find_element("css selector", "#threshold-curve[aria-label*=best]")
        points = self.browser.find_element("css selector", "#threshold-curve polyline").get_attribute("points")
        return np.array([[float(v) for v in pair.split(",")] for pair in points.split()])


EVERY_THRESHOLD = """
const slider = document.getElementById("threshold-slider");
const text = (name) => Number(document.getElementById(`threshold-${name}`).textContent.replace(",", ""));
return arguments[0].map((threshold) => { slider.value = threshold; slider.dispatchEvent(new Event("input"));
  return ["dice", "iou", "sensitivity", "precision", "missed", "extra"].map(text); });
"""

# Where the picture is grey, opaque colours laid over it in part still differ between red, green and blue.
COLOURED = """
const canvas = document.getElementById("threshold-canvas");
const { width, height } = canvas;
const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
copy.drawImage(canvas, 0, 0);
const { data } = copy.getImageData(0, 0, width, height);
let count = 0;
for (let k = 0; k < data.length; k += 4) if (Math.abs(data[k] - data[k + 2] - 171) <= 4) count++;
return [count, width];
"""


@pytest.mark.browser
@pytest.mark.parametrize("way", ["http", "file"])
def test_numbers_are_those_of_the_package_at_every_threshold(way, chromium, html, address, tiny):
    base = address if way == "http" else html.as_uri()
    page = Page(chromium(), base)
    tested = pd.read_csv(tiny / "cases.csv")["case_id"]
    cases = pd.read_csv(tiny / "data" / "cases.csv")["case_id"]
    levels, masks = np.load(tiny / "predictions.npy"), np.load(tiny / "data" / "masks.npy")
    roles = page.browser.find_elements("css selector", "#threshold-cases label")
    assert [label.text for label in roles][:2] == ["worst of all", "median of all"]
    seen = set()
    for number, label in enumerate(roles):
        if number:
            page.browser.execute_script("document.getElementById('threshold-link').textContent = '-'")
            label.click()
            page.browser.find_element("xpath", "//a[@id='threshold-link' and text()!='-']")
        name = page.part("link").text.removesuffix(" in the atlas")
        seen.add(name)
        level = levels[tested.index[tested == name][0]]
        truth = masks[cases.index[cases == name][0], ..., 0] > 0
        found = page.browser.execute_script(EVERY_THRESHOLD, THRESHOLDS)
        for threshold, values in zip(THRESHOLDS, found, strict=True):
            mask = to_masks(level, threshold)[..., 0]
            expected = overlap(truth, mask)
            assert values[:4] == pytest.approx([expected[key] for key in SCORES], abs=0.000501)
            assert values[4:] == [np.count_nonzero(truth & ~mask), np.count_nonzero(mask & ~truth)]
        # The last was 0.99. What is missed is coloured, all of it and nothing else; the link leads to the case.
        count, width = page.browser.execute_script(COLOURED)
        assert count == found[-1][4] * (width / len(truth)) ** 2
        assert page.part("link").get_attribute("href").endswith(f"#case-{name}")
    assert len(seen) == len(roles)
    assert [url for url in requests(page.browser)[0] if not url.startswith((base, "data:", "blob:"))] == []
    assert complaints(page.browser) == []


@pytest.mark.browser
def test_curve_shows_the_dice_at_every_threshold(chromium, address):
    page = Page(chromium(), address)
    points = page.drawn()
    dice = np.array(page.browser.execute_script(EVERY_THRESHOLD, THRESHOLDS))[:, 0]
    assert len(points) == 99
    ticks = page.browser.find_elements("css selector", "#threshold-curve text")
    low, middle, high = (float(tick.text) for tick in ticks[:3])
    assert (high, middle) == (1, pytest.approx((1 + low) / 2))
    # Height is linear in the Dice, from the lowest tick at 180 to the highest at 10.
    np.testing.assert_allclose(low + (180 - points[:, 1]) / 170 * (1 - low), dice, atol=0.002)
    best = re.search(r"best (\S+) at (\S+),", page.part("curve").get_attribute("aria-label"))
    assert float(best.group(1)) == dice.max()
    assert dice[THRESHOLDS.index(float(best.group(2)))] == dice.max()


@pytest.mark.browser
def test_with_the_keyboard_alone(chromium, address):
    from selenium.webdriver.common.keys import Keys

    page = Page(chromium(), address)
    assert page.part("value").text == "0.50"  # the run's own
    page.part("slider").send_keys(Keys.ARROW_RIGHT * 3)
    assert page.part("value").text == "0.53"
    assert re.fullmatch(r"0\.53: Dice \d\.\d{3}", page.part("slider").get_attribute("aria-valuetext"))
    assert page.part("slider").accessible_name.startswith("Threshold")
    first = page.part("link").text
    page.browser.find_element("css selector", "#threshold-cases input").send_keys(Keys.ARROW_RIGHT)
    page.browser.find_element("xpath", f"//a[@id='threshold-link' and text()!='{first}']")
    assert page.part("value").text == "0.53"
    assert "pixels missed" in page.part("canvas").accessible_name
    assert page.part("cases").accessible_name == "Case"


@pytest.mark.browser
@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")])
def test_readable_on_a_phone_in_light_and_dark(width, theme, chromium, address):
    page = Page(chromium(width, 900), address)
    use_theme(page.browser, theme)
    page.drawn()
    assert page.browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    shares = contrasts(page.browser, *(f"#threshold {kind}" for kind in ("label", "legend", "th", "td", "span", "a")))
    assert len(shares) > 15
    assert min(shares) >= 4.5  # WCAG 2.2, 1.4.3
