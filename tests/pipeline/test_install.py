"""What a fresh machine gets: the package's metadata, its lock, its speed to answer."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile

import numpy as np
import pytest
import yaml
from packaging.requirements import Requirement
from PIL import Image
from support import ROOT

from cxrseg.phantom import phantom

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()


def locked():
    return [Requirement(line.rstrip(" \\")) for line in LOCK.splitlines() if re.match(r"[a-zA-Z0-9]", line)]


def wanted(*extras):
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    return [Requirement(text) for part in lists for text in part]


def test_lock_holds_every_dependency_at_a_version_that_fits():
    for requirement in wanted("cpu", "book", "test", "dev"):
        found = [lock for lock in locked() if lock.name == requirement.name]
        assert found, requirement
        for lock in found:
            assert requirement.specifier.contains(str(lock.specifier).removeprefix("=="))


def test_lock_is_exact_hashed_and_names_no_address():
    for block in re.split(r"\n(?=[a-zA-Z0-9])", LOCK):
        assert re.match(r"\S+==\S+", block)
        assert "--hash=sha256:" in block
    assert "://" not in LOCK
    assert "--index" not in LOCK


def test_lock_has_one_tensorflow_for_each_machine_and_no_cuda():
    versions = {r.name: r for r in locked() if r.name.startswith("tensorflow")}
    linux = {"platform_machine": "x86_64", "sys_platform": "linux"}
    mac = {"platform_machine": "arm64", "sys_platform": "darwin"}
    arm = {"platform_machine": "aarch64", "sys_platform": "linux"}
    for machine, expected in ((linux, "tensorflow-cpu"), (mac, "tensorflow"), (arm, "tensorflow")):
        installed = [
            name
            for name, r in versions.items()
            if r.marker.evaluate(machine) and name in ("tensorflow", "tensorflow-cpu")
        ]
        assert installed == [expected]
    assert not [r.name for r in locked() if r.name.startswith("nvidia")]


def test_conda_environment_is_in_step():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python = next(d for d in environment["dependencies"] if isinstance(d, str) and d.startswith("python"))
    assert python.removeprefix("python ").replace(" ", "") == PROJECT["requires-python"]
    (pip,) = next(d for d in environment["dependencies"] if isinstance(d, dict))["pip"]
    extras = re.fullmatch(r"-e \.\[(.*)\]", pip)[1].split(",")
    assert set(extras) <= set(PROJECT["optional-dependencies"])
    assert "gpu" in extras
    assert "cpu" not in extras
    assert any("and-cuda" in text for text in PROJECT["optional-dependencies"]["gpu"])


def modules_after(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_import_and_help_do_not_import_keras():
    assert not modules_after("import cxrseg") & {"keras", "numpy", "tensorflow", "pandas"}
    assert not modules_after("import cxrseg.cli") & {"keras", "tensorflow", "pandas", "snakemake"}


THREE_LINES = """
import sys
import cxrseg
model = cxrseg.load_model()
result = model.segment(sys.argv[1])
print(cxrseg.__file__, result.mask.shape, *result.mask.any(axis=1).nonzero()[0][[0, -1]], sep="|")
print(*sys.modules)
"""


def test_three_lines_run_from_a_wheel_outside_the_checkout(tmp_path):
    """With the core dependencies alone: what the extras bring is not imported."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    made = subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, ROOT],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    zipfile.ZipFile(next(tmp_path.glob("*.whl"))).extractall(tmp_path / "site")
    chest = phantom(3, 1, "Normal", 300)
    Image.fromarray(chest.image).save(tmp_path / "chest.png")
    done = subprocess.run(
        [sys.executable, "-c", THREE_LINES, tmp_path / "chest.png"],
        cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found, modules = done.stdout.splitlines()
    place, shape, top, bottom = found.split("|")
    assert place.startswith(str(tmp_path)) and shape == "(300, 300)"
    rows = np.flatnonzero(chest.lungs.any(axis=1))
    assert [int(top), int(bottom)] == pytest.approx([rows[0], rows[-1]], abs=12)
    assert (tmp_path / "site" / "cxrseg" / "py.typed").is_file()
    extras = (
        "keras",
        "tensorflow",
        "pandas",
        "scipy",
        "skimage",
        "matplotlib",
        "seaborn",
        "snakemake",
        "papermill",
        "yaml",
    )
    assert not set(modules.split()) & {*extras, "pydantic", "requests", "pooch", "joblib"}


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"\.PHONY: (.*)", makefile)[1].split()
    done = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [line.split()[0] for line in done.stdout.splitlines()] == targets
