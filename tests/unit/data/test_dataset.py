"""The prepared dataset, opened."""

from pathlib import Path

import numpy as np
import pytest

from cxrseg.data.dataset import take


def test_a_pass_over_a_dataset_does_not_keep_it_in_memory(tmp_path):
    status = Path("/proc/self/status")
    if not status.is_file():
        pytest.skip("Linux counts the pages of files")
    np.save(tmp_path / "large.npy", np.ones((64, 1024, 1024), np.uint8))

    def resident():
        return int(status.read_text().partition("RssFile:")[2].split()[0]) / 1024  # MiB

    def grown(read):
        array = np.load(tmp_path / "large.npy", mmap_mode="r")
        before = resident()
        assert sum(int(read(array, [k]).sum()) for k in range(64)) == 64 * 2**20
        return resident() - before

    assert grown(take) < 8 < 48 < grown(lambda array, rows: array[rows])
