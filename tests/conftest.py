"""What several tests share: a checkout of their own, and one tiny run in it."""

import http.server
import os
import shutil
import threading
from functools import partial

import pytest
from support import SHARED, TINY, copy_checkout, cxrseg

from cxrseg import paths  # noqa: F401  before a test imports Keras: the package tells TensorFlow how to compute

SHARING = {
    "run": (
        "pipeline/test_lessons.py", "pipeline/test_matrix.py", "pipeline/test_pipeline.py",
        "pipeline/test_surroundings.py",
        "unit/segment/test_export.py",
        "unit/segment/test_files.py", "unit/segment/test_model.py",
    ),
    "book": (
        "book/test_atlas.py", "book/test_book.py", "book/test_external.py", "book/test_figures.py",
        "browser/test_every_page.py", "browser/test_inside.py", "browser/test_pdf.py", "browser/test_playground.py",
        "browser/test_threshold.py", "browser/test_tryit.py",
    ),
}  # fmt: skip
"""Test files that share a run, or a rendered book: each group has one process, so that these are made once."""

LONGEST = "tests/pipeline/test_publish.py"
"""First of the slow files, because the last one runs alone."""


def pytest_collection_modifyitems(items):
    """Put fast tests first: a newcomer sees the first mistake in seconds.

    Of several processes, some begin with the groups of `SHARING`. A process is dealt two files at the start: behind one
    of those groups, another would wait until the end.
    """
    parallel = "PYTEST_XDIST_WORKER" in os.environ
    groups = [{f"tests/{file}" for file in files} for files in reversed(SHARING.values())] if parallel else []

    def order(item):
        file = item.nodeid.partition("::")[0]
        group = next((place for place, files in enumerate(groups) if file in files), len(groups))
        slow = any(item.get_closest_marker(mark) for mark in ("slow", "book", "browser"))
        return group, slow, file != LONGEST

    items.sort(key=order)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out the groups of `SHARING` whole, and otherwise file by file, because fixtures belong to files."""
    from xdist.scheduler.loadscope import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0].removeprefix("tests/")
            return next((group for group, files in SHARING.items() if file in files), file)

    return ByGroup(config, log)


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
    from selenium.common.exceptions import JavascriptException
    from selenium.webdriver.support.wait import WebDriverWait

    class Browser(webdriver.Chrome):
        """Chromium that waits for the whole page: on a busy machine, its driver goes on in the middle of it."""

        def get(self, url):
            self._until_read(super().get, url)

        def refresh(self):
            self._until_read(super().refresh)

        def _until_read(self, load, *url):
            self.execute_script("window.left = true")
            load(*url)
            read = "return document.readyState === 'complete' && (!window.left || location.hash !== '')"
            waiting = WebDriverWait(self, 60, ignored_exceptions=(JavascriptException,))
            waiting.until(lambda _: self.execute_script(read))

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
        started.append(Browser(options=options, service=webdriver.ChromeService(driver)))
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
