"""How time and memory of preparation grow with the number of cases.

    python benchmarks/growth.py 1000 5000 20000

Each number of phantoms is prepared in a process of its own; the memory is the largest resident size of
its main process, which gathers what the workers read; a worker holds a few cases at a time.
"""

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

ONE = """
import json, resource, sys, time
from pathlib import Path
from cxrseg.config import DataConfig
from cxrseg.prepare import prepare
n = int(sys.argv[1])
began = time.monotonic()
share = {label: n // 3 + (k < n % 3) for k, label in enumerate(("Normal", "COVID", "Non-COVID"))}
prepare(DataConfig(cases_per_class=share), Path(sys.argv[2]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps({"cases": n, "seconds": time.monotonic() - began, "peak_gib": peak}))
"""


def measure(n: int) -> dict:
    """Prepare n phantoms of 256 x 256 pixels; return the seconds and the main process's peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", ONE, str(n), str(Path(folder) / "data")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    rows = [measure(int(n)) for n in sys.argv[1:]]
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    for row in rows:
        print(
            f"{row['cases']:7,} cases  {row['seconds']:7.1f} s  {1000 * row['seconds'] / row['cases']:6.2f} ms a case  "
            f"{row['peak_gib']:.2f} GiB"
        )
