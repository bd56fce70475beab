"""The page "Phantom playground" in a headless Chromium: its numbers against scikit-learn's, by keyboard, on a phone."""

import numpy as np
import pytest
from sklearn.metrics import f1_score
from support import complaints, contrasts, requests, use_theme

from cxrseg.report.pages.playground import SLIDERS, chest, picture
from cxrseg.segment.model import load_model

NAMES = tuple(SLIDERS)


class Page:
    """The page, as a person uses it."""

    def __init__(self, browser, base):
        self.browser = browser
        browser.implicitly_wait(20)
        browser.get(f"{base}/book/playground.html")
        self.text("dice-lungs")

    def part(self, name):
        return self.browser.find_element("id", f"playground-{name}")

    def text(self, name):
        return self.part(name).text

    def steps(self):
        return {name: int(self.part(name).get_attribute("value")) for name in NAMES}

    def image(self):
        return self.browser.find_element("css selector", "#playground image").get_attribute("href")

    def path(self, kind, organ):
        return self.browser.find_element("css selector", f"#playground .{kind}.{organ}").get_attribute("d")


@pytest.fixture(scope="module")
def expected():
    """Return what the page must say at each step, computed anew: both Dice, both ratios, predicted Dice, warning."""
    model, found = load_model(), {}
    for name, slider in SLIDERS.items():
        for number, step in enumerate(slider.steps):
            made = chest(name, step)
            result = model.segment(picture(name, step, made))
            pairs = ((made.right_lung | made.left_lung, result.mask), (made.heart, result.masks["heart"]))
            dice = [f1_score(truth.ravel(), mask.ravel()) for truth, mask in pairs]
            widths = [np.ptp(np.nonzero(truth.any(axis=0))) + 1 for truth, _ in pairs]
            found[name, number] = [*dice, widths[1] / widths[0], result.ctr, result.predicted_dice, result.warning]
    return found


@pytest.mark.browser
@pytest.mark.parametrize("way", ["http", "file"])
def test_every_step_by_keyboard_says_what_python_says(way, chromium, html, address, expected):
    from selenium.webdriver.common.keys import Keys

    base = address if way == "http" else html.as_uri()
    page = Page(chromium(), base)
    usual = page.steps()
    for name, slider in SLIDERS.items():
        assert page.part(name).accessible_name == slider.title
        page.part(name).send_keys(Keys.END, Keys.HOME)  # to be moved, also where the first step is the usual one
        for number in range(len(slider.steps)):
            assert page.steps() == usual | {name: number}
            *numbers, ctr, predicted, warning = expected[name, number]
            shown = [page.text(part) for part in ("dice-lungs", "dice-heart", "true-ratio", "predicted")]
            assert [float(text) for text in shown] == pytest.approx([*numbers, predicted], abs=1e-3)
            said = page.text("ratio")
            assert said.startswith("none: ") if ctr is None else float(said) == pytest.approx(ctr, abs=1e-3)
            assert page.text("warning") == (warning or "none")
            page.part(name).send_keys(Keys.ARROW_RIGHT)
    assert [url for url in requests(page.browser)[0] if not url.startswith((base, "data:", "blob:"))] == []
    assert complaints(page.browser) == []


@pytest.mark.browser
def test_picture_outlines_and_chart_follow_the_slider(chromium, address, expected):
    from selenium.webdriver.common.keys import Keys

    page = Page(chromium(), address)
    before = page.path("truth", "heart"), page.path("found", "heart"), page.image()
    page.part("heart").send_keys(Keys.END)
    after = page.path("truth", "heart"), page.path("found", "heart"), page.image()
    assert all(one != other for one, other in zip(before, after, strict=True))
    last = len(SLIDERS["heart"].steps) - 1
    line = page.browser.find_element("css selector", "#playground-curve .lungs polyline").get_attribute("points")
    points = np.array([[float(v) for v in pair.split(",")] for pair in line.split()])
    dice = [expected["heart", number][0] for number in range(last + 1)]
    # Height is linear in the Dice, and the current step is the last.
    np.testing.assert_allclose(np.polyval(np.polyfit(dice, points[:, 1], 1), dice), points[:, 1], atol=0.1)
    assert np.polyfit(dice, points[:, 1], 1)[0] < 0
    now = page.browser.find_element("css selector", "#playground-curve .now").get_attribute("x1")
    assert float(now) == points[-1, 0]
    assert f"{dice[-1]:.3f}" in page.part("heart").get_attribute("aria-valuetext")
    assert f"{dice[-1]:.3f}" in page.part("view").accessible_name
    assert f"{dice[0]:.3f}" in page.part("curve").accessible_name
    page.part("back").send_keys(Keys.ENTER)
    assert (page.path("truth", "heart"), page.path("found", "heart")) == before[:2]


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["truth", "found"])
def test_either_outline_can_be_put_away(kind, chromium, address):
    from selenium.webdriver.common.keys import Keys

    page = Page(chromium(), address)
    page.part(kind).send_keys(Keys.SPACE)
    for one in ("truth", "found"):
        path = page.browser.find_element("css selector", f"#playground .{one}.lungs")
        assert path.is_displayed() == (one != kind)


@pytest.mark.browser
@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")])
def test_readable_on_a_phone_in_light_and_dark(width, theme, chromium, address):
    page = Page(chromium(width, 900), address)
    use_theme(page.browser, theme)
    assert page.browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    kinds = ("label", "output", "th", "td", "span", "button")
    shares = contrasts(page.browser, *(f"#playground {kind}" for kind in kinds))
    assert len(shares) > 30
    assert min(shares) >= 4.5  # WCAG 2.2, 1.4.3
