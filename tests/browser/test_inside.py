"""The page "Inside the network" in a headless Chromium, against Keras."""

import base64
import time

import numpy as np
import pytest
from PIL import Image
from support import complaints, contrasts, requests, use_theme, without_skips

from cxrseg.data.read import images
from cxrseg.data.square import mask_to_square, to_square
from cxrseg.evaluate.masks import to_levels
from cxrseg.evaluate.metrics import overlap
from cxrseg.phantom import phantom
from cxrseg.report.pages import tryit
from cxrseg.train import inputs

ON = (True, True, True, True)
CUTS = [ON, *(tuple(level != off for level in range(4)) for off in range(4)), (True, True, False, False), (False,) * 4]


class Page:
    """The page, as a person uses it."""

    def __init__(self, browser, base):
        self.browser = browser
        browser.get(f"{base}/book/inside.html")

    def part(self, name):
        return self.browser.find_element("id", f"inside-{name}")

    def all(self, selector):
        return self.browser.find_elements("css selector", f"#inside {selector}")

    def until(self, done, seconds=60):
        end = time.monotonic() + seconds
        while not (found := done()):
            assert time.monotonic() < end, self.browser.find_element("id", "inside").text
            time.sleep(0.02)
        return found

    def after(self, action):
        """Do something, and wait until the page has answered."""
        self.browser.execute_script("document.getElementById('inside-status').textContent = '…'")
        action()
        self.until(lambda: "Dice" in self.part("status").text or self.part("warning").is_displayed())

    def choose(self, number):
        self.after(self.all("#inside-samples button")[number].click)

    def cut(self, skips):
        for box, on in zip(self.all("#inside-skips input"), skips, strict=True):
            if box.is_selected() != on:
                self.after(box.click)

    def numbers(self, column="now"):
        """Return Dice of lungs and heart, missed and extra pixels."""
        texts = [self.part(f"{name}-{column}").text for name in ("lungs", "heart", "missed", "extra")]
        return [float(text.replace(",", "")) for text in texts]


def masks_of(found):
    """Return the masks of lungs and heart on a square of 256 pixels from the probability of a single picture."""
    levels = to_levels(inputs.to_grid(found["probability"], 256))[0]
    return (levels[..., :2] >= 127.5).any(axis=-1), levels[..., 2] >= 127.5


def scores(truth, masks):
    lungs, heart = (overlap(*pair) for pair in zip(truth, masks, strict=True))
    missed, extra = (np.count_nonzero(a & ~b) for a, b in ((truth[0], masks[0]), (masks[0], truth[0])))
    return [lungs["dice"], heart["dice"], missed, extra]


@pytest.fixture(scope="module")
def networks():
    return {skips: without_skips(skips) for skips in CUTS}


@pytest.mark.browser
@pytest.mark.parametrize("way", ["http", "file"])
def test_dice_and_features_are_those_of_keras(way, chromium, html, address, networks):
    base = address if way == "http" else html.as_uri()
    page = Page(chromium(), base)
    for number, sample in enumerate(tryit.SAMPLES):
        made = tryit.sample(*sample)
        truth = [mask_to_square(mask, 256) for mask in (made.lungs, made.heart)]
        jpeg = page.browser.execute_script(f"return tryit.samples[{number}].jpeg")
        square = to_square(images.read_radiograph(base64.b64decode(jpeg)), 256)
        page.choose(number)
        for skips, network in networks.items():
            page.cut(skips)
            found = network.predict_on_batch(inputs.network_input(square[None], 128))
            expected = scores(truth, masks_of(found))
            assert page.numbers()[:2] == pytest.approx(expected[:2], abs=1e-3)
            assert page.numbers()[2:] == pytest.approx(expected[2:], abs=20)
            if skips == ON:
                whole, found_whole = expected, found
            assert page.numbers("whole")[:2] == pytest.approx(whole[:2], abs=1e-3)
            check_features(page, found, found_whole)
            crossing = [text.text.endswith("on") for text in page.all(".inside-crossing")]
            assert crossing == list(skips)
    assert [url for url in requests(page.browser)[0] if not url.startswith((base, "data:", "blob:"))] == []
    assert complaints(page.browser) == []


def check_features(page, found, whole):
    """Compare the mean of every channel, and of the maps that are drawn, with Keras."""
    means, drawn, shown = page.browser.execute_script("""
    const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
    const { features } = inside.shown;
    const parts = (name) => Array.from({ length: inside.blocks[name].channels }, (_, c) =>
      features[name].subarray(c * inside.blocks[name].side ** 2, (c + 1) * inside.blocks[name].side ** 2));
    const names = Object.keys(inside.blocks);
    const reds = (map) => {
      const copy = new OffscreenCanvas(map.width, map.height).getContext("2d", { willReadFrequently: true });
      copy.drawImage(map, 0, 0);
      return [...copy.getImageData(0, 0, map.width, map.height).data].filter((_, k) => k % 4 === 0);
    };
    const drawn = [...document.querySelectorAll(".inside-maps")].map((row) =>
      [row.ariaLabel, [...row.children].map((map) => mean(reds(map)))]);
    return [Object.fromEntries(names.map((name) => [name, parts(name).map(mean)])), Object.fromEntries(drawn),
      Object.fromEntries(names.map((name) => [name, inside.blocks[name].shown]))];
    """)
    assert means.keys() == found.keys() - {"probability"}
    for name, values in means.items():
        maps, usual = found[name][0], whole[name][0]
        np.testing.assert_allclose(values, maps.mean(axis=(0, 1)), atol=1e-3, err_msg=name)
        side = maps.shape[0]
        kind = name.rstrip("0123")
        title = next(title for title in drawn if f" {kind}: {side} × {side} pixels" in title)
        tops = usual.max(axis=(0, 1))
        scaled = np.where(tops, np.clip(255 * maps / np.where(tops, tops, 1), 0, 255), 0).mean(axis=(0, 1))
        np.testing.assert_allclose(drawn[title], scaled[shown[name]], atol=1, err_msg=name)


@pytest.mark.browser
def test_a_picture_of_one_s_own_is_compared_with_the_whole_network(chromium, address, networks, tmp_path):
    picture = phantom(5, 2, "COVID", 300, "randomised").image[:, 20:]
    Image.fromarray(picture).save(tmp_path / "own.png")
    page = Page(chromium(), address)
    page.choose(0)
    exact = page.part("reference").text
    page.cut(CUTS[1])
    page.after(lambda: page.part("file").send_keys(str(tmp_path / "own.png")))
    assert page.part("reference").text != exact
    assert all(box.is_selected() for box in page.all("#inside-skips input"))
    assert page.numbers() == page.numbers("whole") == [1, 1, 0, 0]
    given = inputs.network_input(to_square(picture, 256)[None], 128)
    reference = masks_of(networks[ON].predict_on_batch(given))
    for skips in CUTS[1:]:
        page.cut(skips)
        expected = scores(reference, masks_of(networks[skips].predict_on_batch(given)))
        assert page.numbers()[:2] == pytest.approx(expected[:2], abs=1e-3)
    page.choose(0)
    assert page.part("reference").text == exact


@pytest.mark.browser
def test_what_is_no_picture_is_one_clear_line(chromium, address, tmp_path):
    (tmp_path / "text.txt").write_text("this is text")
    page = Page(chromium(), address)
    page.after(lambda: page.part("file").send_keys(str(tmp_path / "text.txt")))
    assert page.part("warning").text.startswith("text.txt: ")
    assert not page.part("result").is_displayed()
    page.choose(1)  # and the page is alive
    assert page.part("result").is_displayed()
    assert not page.part("warning").is_displayed()


@pytest.mark.browser
def test_with_the_keyboard_alone(chromium, address):
    from selenium.webdriver.common.keys import Keys

    page = Page(chromium(), address)
    page.after(lambda: page.all("#inside-samples button")[2].send_keys(Keys.ENTER))
    before = page.numbers()
    label = page.part("canvas").accessible_name
    boxes = page.all("#inside-skips input")
    page.after(lambda: boxes[3].send_keys(Keys.SPACE))
    assert page.numbers()[0] < before[0] - 0.05
    assert page.numbers("whole") == before
    assert page.part("canvas").accessible_name != label
    page.after(lambda: boxes[3].send_keys(Keys.SPACE))
    assert page.numbers() == before
    # What a screen reader says: every control has a name, every picture a text, and the score is announced.
    assert "Level 1: 64 × 64 pixels" in boxes[0].accessible_name
    assert page.part("skips").accessible_name
    assert page.part("file").accessible_name
    assert all(row.accessible_name for row in page.all(".inside-maps"))
    assert f"{before[0]:.3f}" in page.part("status").text
    assert page.part("status").get_attribute("role") == "status"


@pytest.mark.browser
@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")])
def test_readable_on_a_phone_in_light_and_dark(width, theme, chromium, address):
    page = Page(chromium(width, 900), address)
    use_theme(page.browser, theme)
    page.choose(1)
    assert page.browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    kinds = ("p", "button", "label", "legend", "th", "td", "caption", "figcaption", "span")
    shares = contrasts(page.browser, *(f"#inside {kind}" for kind in kinds))
    assert len(shares) > 30
    assert min(shares) >= 4.5  # WCAG 2.2, 1.4.3
