"""Measure the time per image of the page "Try it" on one thread, and the size of its first load.

The book of a run is rendered in a copy of the checkout, and its page opened in Chromium. Times are medians of several
images after the first, from grey levels to the drawn outline and all numbers, without decoding.
"""

import http.server
import json
import shutil
import threading
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import checkout
from selenium import webdriver

from cxrseg import paths
from cxrseg.publish.experiments import Experiment

MEASURE = """
const [repeats, done] = arguments;
const button = document.querySelector("#tryit-samples button");
const until = (test) => new Promise((go) => { const look = () => (test() ? go() : setTimeout(look, 10)); look(); });
const sample = async (name) => { tryit.shown && (tryit.shown.milliseconds = undefined); button.click();
  await until(() => tryit.shown?.milliseconds); return tryit.shown.milliseconds; };
(async () => {
  const began = performance.now();
  await sample();
  const first = performance.now() - began;
  const times = [];
  for (let k = 0; k < repeats; k++) times.push(await sample());
  const network = await tryit.network();
  const square = tryit.toSquare(tryit.shown.grey, 512, 512, network.info.input_size);
  const runs = [];
  for (let k = 0; k < repeats; k++) {
    const at = performance.now();
    await network.run(square);
    runs.push(performance.now() - at);
  }
  const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
  done({ first_with_loading_ms: first, image_ms: median(times), image_best_ms: Math.min(...times),
    network_ms: median(runs), network: network.info.run });
})();
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Request handler without a log."""

    def log_message(self, *_):
        """Suppress the log message."""


def measure(experiment: Experiment) -> dict:
    """Return the milliseconds per image, and the megabytes of the first load."""
    programs = [shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")]
    (run,) = experiment.runs.values()
    with TemporaryDirectory() as name:
        folder = Path(name)
        checkout.copy(folder)
        shutil.copytree(paths.run(run.run), folder / "runs" / run.run)
        checkout.call(folder, "cxrseg.cli", "book", run.run)
        handler = partial(Quiet, directory=str(folder / "_build" / "html"))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{server.server_port}/book/tryit.html"
            result = in_browser(*programs, address, experiment.options["repeats"])
            server.shutdown()
    return result


def in_browser(chromium: str, driver: str, address: str, repeats: int) -> dict:
    """Open the page in a new browser, and return what it measures and the size of what it has loaded."""
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        browser.set_script_timeout(120)
        browser.get(address)
        result = browser.execute_async_script(MEASURE, repeats)
        messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        result["browser"] = browser.capabilities["browserVersion"]
    finally:
        browser.quit()
    sizes = [m["params"]["encodedDataLength"] for m in messages if m["method"] == "Network.loadingFinished"]
    # This server does not compress its responses. Many servers do, which makes the first load smaller.
    return result | {"first_load_mb": sum(sizes) / 1e6}
