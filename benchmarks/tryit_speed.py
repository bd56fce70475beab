"""Measure the time per image of the page "Try it" on one thread, and the size of its first load.

    cxrseg book RUN && python benchmarks/tryit_speed.py

The script needs the rendered book, Chromium and its driver. Times are medians of ten images after the first, from grey
levels to the drawn outline and all numbers, without decoding. It writes ``book/published/tryit_speed.json``.
"""

import http.server
import json
import shutil
import sys
import threading
from functools import partial

from selenium import webdriver

from cxrseg import paths, provenance
from cxrseg.files import write_json

MEASURE = """
const done = arguments[0];
const button = document.querySelector("#tryit-samples button");
const until = (test) => new Promise((go) => { const look = () => (test() ? go() : setTimeout(look, 10)); look(); });
const sample = async (name) => { tryit.shown && (tryit.shown.milliseconds = undefined); button.click();
  await until(() => tryit.shown?.milliseconds); return tryit.shown.milliseconds; };
(async () => {
  const began = performance.now();
  await sample();
  const first = performance.now() - began;
  const times = [];
  for (let k = 0; k < 10; k++) times.push(await sample());
  const network = await tryit.network();
  const square = tryit.toSquare(tryit.shown.grey, 512, 512, network.info.input_size);
  const runs = [];
  for (let k = 0; k < 10; k++) {
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


def main() -> None:
    """Print the results and write ``book/published/tryit_speed.json``."""
    html = paths.root() / "_build" / "html"
    if not (html / "book" / "tryit.html").is_file():
        sys.exit("no rendered book: cxrseg book RUN first")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("chromium-browser")
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(html))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
        browser.set_script_timeout(120)
        browser.get(f"http://127.0.0.1:{server.server_port}/book/tryit.html")
        result = browser.execute_async_script(MEASURE)
        messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        result["browser"] = browser.capabilities["browserVersion"]
        browser.quit()
        server.shutdown()
    sizes = [m["params"]["encodedDataLength"] for m in messages if m["method"] == "Network.loadingFinished"]
    # This server does not compress its responses. Many servers do, which makes the first load smaller.
    result["first_load_mb"] = sum(sizes) / 1e6
    print(json.dumps(result, indent=1))
    content = {"command": "cxrseg book demo && python benchmarks/tryit_speed.py", **result}
    write_json(paths.published() / "tryit_speed.json", content | {"provenance": provenance.record()})


if __name__ == "__main__":
    main()
