"""The case atlas: what its pictures and cards say, against the run's own table; and the page in a headless Chromium."""

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.draw import polygon_perimeter
from support import ROOT, complaints, contrasts, requests, use_theme

from cxrseg.phantom import phantom
from cxrseg.report import cases, figures
from cxrseg.report.pages import atlas

STATIC = ROOT / "book" / "_static"

# What the three kinds of colour blindness make of linear RGB: Machado, Oliveira & Fernandes, IEEE TVCG 15, 2009.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def test_errors_are_drawn_over_the_outline():
    truth, prediction = np.zeros((2, 20, 20), bool)
    truth[4:14, 4:14] = True
    prediction[4:14, 6:17] = True  # two columns missed, three extra
    drawn = np.asarray(atlas.errors(truth, prediction))
    expected = np.zeros((20, 20), np.uint8)
    expected[polygon_perimeter([4, 13, 13, 4], [4, 4, 13, 13])] = 1
    expected[4:14, 4:6] = 2
    expected[4:14, 14:17] = 3
    np.testing.assert_array_equal(drawn, expected)


def test_colours_come_out_of_the_file_as_they_were_meant(tmp_path):
    truth, prediction = np.zeros((2, 600, 600), bool)
    truth[100:400, 100:400] = True
    prediction[100:400, 200:500] = True
    atlas.errors(truth, prediction).save(tmp_path / "a.png")
    picture = Image.open(tmp_path / "a.png").convert("RGBA")
    assert picture.size == (atlas.SIDE, atlas.SIDE)
    scale = atlas.SIDE / 600
    seen = {
        place: picture.getpixel(tuple(int(scale * at) for at in place)) for place in ((150, 250), (450, 250), (5, 5))
    }
    assert seen[150, 250][:3] == atlas.MISSED
    assert seen[450, 250][:3] == atlas.EXTRA
    assert seen[5, 5][3] == 0
    assert picture.getpixel((int(scale * 300), int(np.ceil(scale * 100)))) == (*atlas.OUTLINE, 255)


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_are_told_apart_by_the_colour_blind(kind):
    colours = np.array([atlas.OUTLINE, atlas.MISSED, atlas.EXTRA]) / 255
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(BLINDNESS[kind]), 0, 1)
    lab = rgb2lab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert deltaE_ciede2000(lab[one], lab[other]) > 10, (one, other)  # some 2 are just noticed, side by side


def test_one_set_of_colours_in_pictures_notebooks_and_pages():
    colours = [atlas.OUTLINE, atlas.MISSED, atlas.EXTRA]
    assert [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in colours] == [
        figures.AGREED,
        figures.MISSED,
        figures.EXTRA,
    ]
    for page in ("atlas/atlas.css", "threshold/threshold.css"):
        assert re.findall(r"background: (#\w+);", (STATIC / page).read_text()) == [
            figures.AGREED,
            figures.MISSED,
            figures.EXTRA,
        ]
    script = (STATIC / "threshold" / "page.js").read_text()
    assert all(f"[{', '.join(map(str, colour))}, " in script for colour in colours)


def test_pictures_are_small(tmp_path):
    case = phantom(1, 3, "COVID", 512)
    atlas.picture(case.image).save(tmp_path / "a.webp", quality=75, method=2)
    atlas.errors(case.lungs, np.roll(case.lungs, 9, axis=1)).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.webp") as written:
        assert written.size == (256, 256)
    # 1,500 cases in some 30 MB on disk, of which a reader's browser loads what is in view.
    assert sum((tmp_path / name).stat().st_size for name in ("a.webp", "a.png")) < 20_000


def test_each_case_has_a_link_of_its_own():
    names = pd.Series(["a b", "a-b", "A/B", "a-b-2", "plain_1.x", "ü"])
    anchors = cases._anchors(names)
    assert len(set(anchors)) == len(names)
    assert all(re.fullmatch(r"case-[a-z0-9._-]+", anchor) for anchor in anchors)
    assert anchors[4] == "case-plain_1.x"
    assert cases._anchors(names[4:])[0] == anchors[4]  # whatever other cases there are


def test_a_case_without_predicted_quality_and_with_odd_names_is_a_whole_card():
    row = {"case_id": '<b>"&', "label": "A & B", "anchor": "case-b", "dice": 1.0, "hd95_px": 0.0}
    text = atlas.card(row, 0, 0, 64)
    assert "<b>" not in text
    assert "&lt;b&gt;&quot;&amp;" in text
    assert "predicted" not in text.lower()


@pytest.mark.slow
def test_cards_say_what_the_table_of_the_run_says(tiny, checkout, monkeypatch, tmp_path):
    monkeypatch.chdir(checkout)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "of-another-run.png").touch()
    atlas.assemble(cases.load_test_cases("tiny"), tmp_path / "atlas.html", tmp_path / "pictures")
    rows = pd.read_csv(tiny / "cases.csv").set_index("case_id")
    predicted = pd.read_csv(tiny / "quality.csv").set_index("case_id")["predicted_dice"]
    cards = re.findall(r"<li id=.*?</li>", (tmp_path / "atlas.html").read_text(), re.DOTALL)
    assert len(cards) == len(rows)
    seen = []
    for text in cards:
        data = dict(re.findall(r'data-(\w+)="([^"]*)"', text))
        row = rows.loc[data["name"]]
        seen.append(data["name"])
        assert data["class"] == row["label"]
        assert float(data["dice"]) == pytest.approx(row["dice"], rel=1e-4)
        assert float(data["hd95"]) == pytest.approx(row["hd95_px"], rel=1e-4)
        assert float(data["predicted"]) == pytest.approx(predicted[data["name"]], rel=1e-4)
        # Both counts follow from the Dice and the two areas.
        common = row["dice"] * (row["truth_pixels"] + row["predicted_pixels"]) / 2
        counts = [int(n.replace(",", "")) for n in re.search(r"([\d,]+) pixels missed, ([\d,]+) extra", text).groups()]
        assert counts[0] == pytest.approx(row["truth_pixels"] - common, abs=0.5)
        assert counts[1] == pytest.approx(row["predicted_pixels"] - common, abs=0.5)
        drawn = np.asarray(Image.open(tmp_path / "pictures" / f"{re.search('id=.([^ ]+). ', text).group(1)}.png"))
        assert [int((drawn == kind).sum()) for kind in (2, 3)] == counts  # 64 pixels a side: none is left out
    assert set(seen) == set(rows.index)
    assert rows.loc[seen, "dice"].is_monotonic_increasing
    assert len(list((tmp_path / "pictures").iterdir())) == 2 * len(rows)


# From here on, in a browser.


class Page:
    """The atlas, as a person uses it."""

    def __init__(self, browser, base, fragment="", name="atlas"):
        self.browser = browser
        browser.get(f"{base}/book/{name}.html{fragment}")

    def part(self, name):
        return self.browser.find_element("id", f"atlas-{name}")

    def choose(self, name, text):
        from selenium.webdriver.support.ui import Select

        Select(self.part(name)).select_by_visible_text(text)

    def names(self):
        return self.browser.execute_script(
            "return [...document.querySelectorAll('#atlas-cases > li')].filter((card) => card.checkVisibility())"
            ".map((card) => card.dataset.name)"
        )


@pytest.mark.browser
@pytest.mark.parametrize("way", ["http", "file"])
def test_sorted_filtered_and_linked(way, chromium, html, address, tiny):
    from selenium.webdriver.common.keys import Keys

    base = address if way == "http" else html.as_uri()
    rows = pd.read_csv(tiny / "cases.csv").set_index("case_id")
    rows["predicted"] = pd.read_csv(tiny / "quality.csv").set_index("case_id")["predicted_dice"]
    page = Page(chromium(), base)
    for text, column, down in (
        ("Dice, lowest first", "dice", False), ("HD95, largest first", "hd95_px", True),
        ("Predicted Dice, lowest first", "predicted", False), ("Dice, highest first", "dice", True),
    ):  # fmt: skip
        page.choose("sort", text)
        values = rows.loc[page.names(), column]
        assert len(values) == len(rows)
        assert values.is_monotonic_decreasing if down else values.is_monotonic_increasing
    page.choose("sort", "Diagnostic class")
    assert rows.loc[page.names(), "label"].is_monotonic_increasing

    page.choose("class", "COVID")
    assert set(page.names()) == set(rows.index[rows["label"] == "COVID"])
    assert page.part("count").text == f"{(rows['label'] == 'COVID').sum()} of {len(rows)} cases"
    page.choose("class", "all")
    page.browser.find_element("css selector", "#atlas summary").click()
    for name, column in (("dice", "dice"), ("hd95", "hd95_px"), ("predicted", "predicted")):
        low, high = (round(float(rows[column].quantile(share)), 3) for share in (0.3, 0.8))
        page.part(f"{name}-from").send_keys(str(low))
        page.part(f"{name}-to").send_keys(str(high))
        assert set(page.names()) == set(rows.index[rows[column].between(low, high)])
        for end in ("from", "to"):
            page.part(f"{name}-{end}").send_keys(Keys.CONTROL + "a", Keys.DELETE)
    assert len(page.names()) == len(rows)

    # The link of a case leads to it even where a filter hides it.
    page.choose("class", "COVID")
    other = rows.index[rows["label"] == "Normal"][0]
    page.browser.execute_script(f"location.hash = 'case-{other}'")
    page.browser.implicitly_wait(5)
    card = page.browser.find_element("css selector", "#atlas-cases > li:target:not([hidden])")
    assert card.get_attribute("data-name") == other
    assert len(page.names()) == len(rows)
    top = page.browser.execute_script("return arguments[0].getBoundingClientRect().top", card)
    assert 0 <= top < 300
    second = Page(chromium(), base, f"#case-{other}")
    assert second.browser.find_element("css selector", "li:target").get_attribute("data-name") == other

    pictures = page.browser.find_elements("css selector", "#atlas-cases img + img")
    page.part("outlines").send_keys(Keys.SPACE)
    assert not any(picture.is_displayed() for picture in pictures)
    assert [url for url in requests(page.browser)[0] if not url.startswith((base, "data:"))] == []
    assert complaints(page.browser) == []
    broken = "return [...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src)"
    assert page.browser.execute_script(broken) == []


@pytest.mark.browser
def test_with_the_keyboard_alone(chromium, address):
    from selenium.webdriver.common.keys import Keys

    page = Page(chromium(), address)
    page.part("sort").send_keys("HD95, s")
    assert page.part("sort").get_attribute("value") == "hd95"
    first = page.names()[0]
    link = page.browser.find_element("css selector", "#atlas-cases > li p a")
    link.send_keys(Keys.ENTER)
    assert page.browser.current_url.endswith(f"#case-{first}")
    card = page.browser.find_element("css selector", "li:target")
    assert card.find_element("css selector", "img").size["width"] > 250  # it grew
    card.find_element("css selector", ".atlas-back").send_keys(Keys.ENTER)
    assert not page.browser.find_elements("css selector", "li:target")
    # What a screen reader says: each control, each link and each picture has a name.
    controls = page.browser.find_elements("css selector", "#atlas :is(select, input[type=checkbox], button)")
    assert [control.accessible_name.strip() for control in controls] == [
        "Sort by", "Diagnostic class", "Show outlines and errors", "Show all cases",
    ]  # fmt: skip
    page.browser.find_element("css selector", "#atlas summary").send_keys(Keys.ENTER)
    assert page.part("hd95-from").accessible_name.strip() == "from"
    groups = page.browser.find_elements("css selector", "#atlas fieldset")
    assert [group.accessible_name for group in groups] == ["Dice", "HD95, pixels", "Predicted Dice"]
    assert link.accessible_name == first
    assert page.part("count").get_attribute("role") == "status"


@pytest.mark.browser
def test_without_predicted_quality_nothing_asks_for_it(chromium, html, tiny):
    plain = html / "book" / "atlas-plain.html"
    plain.write_text(re.sub(r' data-predicted="[^"]*"', "", (html / "book" / "atlas.html").read_text()))
    try:
        page = Page(chromium(), html.as_uri(), name="atlas-plain")
        assert "Predicted" not in page.part("sort").text
        assert not page.browser.find_elements("id", "atlas-predicted")
        page.choose("sort", "Dice, highest first")
        assert len(page.names()) == len(pd.read_csv(tiny / "cases.csv"))
        assert complaints(page.browser) == []
    finally:
        plain.unlink()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")])
def test_readable_on_a_phone_in_light_and_dark(width, theme, chromium, address):
    page = Page(chromium(width, 900), address)
    use_theme(page.browser, theme)
    page.browser.find_element("css selector", "#atlas summary").click()
    assert page.browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    kinds = ("#atlas label", "#atlas legend", "#atlas button", "#atlas-cases :is(a, span, dt, dd)", "#atlas-legend li")
    shares = contrasts(page.browser, *kinds)
    assert len(shares) > 20
    assert min(shares) >= 4.5  # WCAG 2.2, 1.4.3
