"""What several tests share: a checkout of their own, and one tiny run in it."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from cxrseg import paths  # noqa: F401  before a test imports Keras: the package tells TensorFlow how to compute

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"

TINY = [
    "--set", "data.cases_per_class={Normal: 8, COVID: 8, Non-COVID: 8}",
    "--set", "data.image_size=64",
    "--set", "train.input_size=64",
    "--set", "train.base_filters=4",
    "--set", "train.depth=3",
    "--set", "train.epochs=2",
    "--set", "evaluate.resamples=200",
]  # fmt: skip


def pytest_collection_modifyitems(items):
    """Put the fast tests first: a newcomer sees the first mistake in seconds."""
    items.sort(key=lambda item: any(item.get_closest_marker(mark) for mark in ("slow", "book", "browser")))


def cxrseg(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Call the command line as a person would, standing in a checkout."""
    command = [sys.executable, "-m", "cxrseg.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, env=os.environ | environment)


def copy_checkout(target: Path) -> Path:
    """Copy what a fresh clone has, without what was built."""
    ignore = shutil.ignore_patterns("__pycache__", "executed", "*.pyc")
    for name in ("cxrseg", "notebooks", "studies", "book", "profiles"):
        shutil.copytree(ROOT / name, target / name, ignore=ignore)
    for name in ("Snakefile", "_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, target / name)
    return target


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """Return a checkout whose runs are nobody else's."""
    return copy_checkout(tmp_path_factory.mktemp("a checkout"))  # a path may hold a space


@pytest.fixture(scope="session")
def tiny(checkout):
    """Return a finished run of the demo, as small as it gets, made by the command line."""
    done = cxrseg(checkout, "run", "demo", "--name", "tiny", *TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout / "runs" / "tiny"


@pytest.fixture(scope="session")
def exported(checkout, tiny):
    """Return the exported network of the tiny run, ``model.json`` beside it."""
    done = cxrseg(checkout, "export", "tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    return tiny / "model.onnx"


@pytest.fixture(scope="session")
def html(checkout, exported):
    """Return the rendered report of the tiny run."""
    done = cxrseg(checkout, "book", "tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout / "_build" / "html"


@pytest.fixture(scope="session")
def shared():
    """Return the folder of real radiographs, which most people do not have."""
    if not SHARED.is_dir():
        pytest.skip("the real radiographs of ../shared are not here")
    return SHARED


@pytest.fixture
def chromium(tmp_path):
    """Return a function that starts a Chromium of a given size; what it downloads lies in ``tmp_path``."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if not program or not driver:
        message = "no Chromium with its driver is installed"
        if os.environ.get("CXRSEG_REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    from selenium import webdriver

    started = []

    def start(width=1280, height=1200):
        options = webdriver.ChromeOptions()
        options.binary_location = program
        for flag in (
            "headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync",
            "disable-background-networking", "disable-component-update", f"window-size={width},{height}",
        ):  # fmt: skip
            options.add_argument(f"--{flag}")
        if width < 500:  # narrower than a window may be
            options.add_experimental_option("mobileEmulation", {"deviceMetrics": {"width": width, "height": height}})
        options.add_experimental_option("prefs", {"download.default_directory": str(tmp_path)})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        started.append(webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)))
        return started[-1]

    yield start
    for browser in started:
        browser.quit()


@pytest.fixture(scope="session")
def address(html):
    """Serve the book, and return where."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = partial(Quiet, directory=str(html))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def use_theme(browser, theme: str) -> None:
    """Load the page anew, light or dark."""
    browser.execute_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
    browser.refresh()


def requests(browser) -> tuple[list[str], int]:
    """Return what was requested since the last call, and how many bytes came over the wire."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return urls, sum(m["params"]["encodedDataLength"] for m in messages if m["method"] == "Network.loadingFinished")


def complaints(browser) -> list[dict]:
    """Return what the console says since the last call, but not what it only notes."""
    return [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def contrasts(browser, *selectors: str) -> list[float]:
    """Return the contrast between text and ground, 1 to 21 (WCAG 2.2), of each visible element with text."""
    script = """
    const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92
      : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
    const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
    return [...document.querySelectorAll(arguments[0])]
      .filter((e) => e.textContent.trim() && e.checkVisibility())
      .map((e) => { const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05); });
    """
    return browser.execute_script(script, ", ".join(selectors))
