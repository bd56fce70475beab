"""A run is what its study says, whoever writes into it, wherever it was copied and whatever the machine is set to."""

import importlib.util
import json
import os
import random
import shutil
import socket
import subprocess
import sys

import pytest
from support import TINY, copy_checkout, cxrseg
from typer.testing import CliRunner

from cxrseg.cli import app

pytestmark = pytest.mark.slow

RUN = ["run", "demo", "--name", "tiny", *TINY]


def contents(run):
    return {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}


def papermill(checkout, stage, *parameters):
    command = [sys.executable, "-m", "papermill", f"notebooks/{stage}.ipynb", "out.ipynb", "--no-progress-bar"]
    command += [word for name, value in parameters for word in ("-p", name, str(value))]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize(
    ("stage", "parameters", "named"),
    [
        ("01-data", {"seed": 5}, "data.seed 2023 -> 5"),
        ("02-train", {"input_size": 64, "base_filters": 4, "depth": 3, "epochs": 1}, "(train.epochs 2 -> 1)"),
        ("02-train", {"run": "new", "epoch": 3}, "no parameter 'epoch' (did you mean 'epochs'?)"),
        ("03-evaluate", {"resamples": 200, "threshold": 0.4}, "(evaluate.threshold 0.5 -> 0.4)"),
        ("03-evaluate", {"resamples": 200, "run_folds": 1, "folds": 1}, "no parameter 'folds'"),
        ("04-compare", {"other": 3}, "no parameter 'other' (did you mean 'others'?)"),
    ],
)
def test_notebook_run_by_hand_writes_nothing_that_the_run_is_not(checkout, tiny, stage, parameters, named):
    before = contents(tiny)
    done = papermill(checkout, stage, *({"run": "tiny"} | parameters).items())
    assert done.returncode != 0
    assert named in done.stderr.strip().splitlines()[-1]
    assert contents(tiny) == before
    assert not (checkout / "runs" / "new").exists()


def test_run_without_a_study_keeps_to_the_data_of_its_networks(checkout, tiny):
    loose = tiny.with_name("loose")
    shutil.copytree(tiny, loose)
    (loose / "study.yml").unlink()
    before = contents(loose)
    done = papermill(checkout, "01-data", ("run", "loose"), ("image_size", 32))
    assert "data.image_size 64 -> 32" in done.stderr.strip().splitlines()[-1]
    assert contents(loose) == before
    shutil.rmtree(loose / "fold-0")
    few = [("run", "loose"), ("image_size", 32), ("cases_per_class", "{Normal: 6, COVID: 6}"), ("folds", 3)]
    done = papermill(checkout, "01-data", *few[:2], ("folds", 3), ("max_refused", 0.1))
    assert done.returncode == 0, done.stderr
    assert json.loads((loose / "data" / "dataset.json").read_text())["parameters"]["image_size"] == 32


def test_copied_run_is_known_by_its_contents(checkout, tiny, tmp_path):
    """Without Snakemake's own records, and with dates at random, some of them years ahead."""
    other = copy_checkout(tmp_path / "other")
    shutil.copytree(tiny, other / "runs" / "tiny")
    dates = random.Random(3)
    for file in sorted((other / "runs" / "tiny").rglob("*")):
        os.utime(file, (0, dates.uniform(1e9, 3e9)))
    run = other / "runs" / "tiny"

    def made(*command):
        before = {
            file: (run / file).read_bytes() for file in ("data/dataset.json", "fold-0/train.json", "summary.json")
        }
        done = cxrseg(other, *command)
        assert done.returncode == 0, done.stderr
        return [file for file, content in before.items() if (run / file).read_bytes() != content]

    def outdated():
        code = "from cxrseg import workflow; print(*workflow.outdated('tiny'))"
        done = subprocess.run([sys.executable, "-c", code], cwd=other, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [file.removeprefix("tiny/notebooks/").removesuffix(".ipynb") for file in done.stdout.split()]

    assert made(*RUN) == []
    record = json.loads((run / "fold-0" / "train.json").read_text())
    record["config"]["epochs"] = 7
    (run / "fold-0" / "train.json").write_text(json.dumps(record))
    assert made(*RUN) == ["fold-0/train.json", "summary.json"]
    assert json.loads((run / "fold-0" / "train.json").read_text())["config"]["epochs"] == 2
    assert outdated() == []
    for file, stages in (
        ("report/pages/atlas.py", []),
        ("runs.py", []),  # nobody wants to train for hours again because a message has changed
        ("evaluate/stats.py", ["03-evaluate"]),
        ("train/unet.py", ["02-train-fold0", "03-evaluate"]),
    ):
        assert (other / "cxrseg" / file).is_file()
        with open(other / "cxrseg" / file, "a") as code:
            code.write("# another\n")
        assert outdated() == stages, file


def test_what_a_hub_or_a_cluster_sets_for_everybody_breaks_nothing(checkout, tmp_path):
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    command = {"argv": ["/bin/false", "{connection_file}"], "display_name": "Another", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(command))
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    for file in (startup / "00.py", tmp_path / "start.py"):
        file.write_text("import builtins\nbuiltins.sorted = None\n")
    (tmp_path / "keras.json").write_text('{"backend": "nothing", "floatx": "float16"}')
    nowhere = "/proc/nowhere"
    surroundings = {
        "JUPYTER_PATH": str(tmp_path / "jupyter"), "JUPYTER_DATA_DIR": str(tmp_path / "jupyter"),
        "JUPYTER_CONFIG_DIR": nowhere, "JUPYTER_RUNTIME_DIR": nowhere, "IPYTHONDIR": str(tmp_path / "ipython"),
        "PYTHONSTARTUP": str(tmp_path / "start.py"), "PYTHONWARNINGS": "error", "MPLBACKEND": "TkAgg",
        "KERAS_HOME": str(tmp_path), "SNAKEMAKE_PROFILE": "nobody", "SNAKEMAKE_OUTPUT_CACHE": nowhere,
        "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "7", "OPENBLAS_NUM_THREADS": "3", "NUMEXPR_MAX_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "3", "LOKY_MAX_CPU_COUNT": "1", "HOME": nowhere, "XDG_CACHE_HOME": nowhere,
        "XDG_CONFIG_HOME": nowhere, "XDG_DATA_HOME": nowhere, "XDG_RUNTIME_DIR": nowhere,
    }  # fmt: skip
    done = cxrseg(checkout, "run", "demo", "--name", "hub", *TINY, **surroundings)
    assert done.returncode == 0, done.stderr
    record = json.loads((checkout / "runs" / "hub" / "fold-0" / "train.json").read_text())
    assert record["backend"] == os.environ["KERAS_BACKEND"]
    assert '"image/png"' in (checkout / "runs" / "hub" / "notebooks" / "03-evaluate.ipynb").read_text()


@pytest.mark.parametrize(
    ("module", "extra", "command"),
    [
        ("snakemake", "study", ["run", "demo"]),
        ("tensorflow", "cpu", ["run", "demo"]),
        ("snakemake_executor_plugin_slurm", "slurm", ["run", "demo", "--profile", "slurm"]),
        ("jupyter_book", "book", ["book", "demo"]),
    ],
)
def test_missing_package_is_named_with_its_extra(checkout, monkeypatch, module, extra, command):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == module else found(name, *rest))
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.chdir(checkout)
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert f"pip install 'cxrseg[{extra}]'" in done.stderr


def test_lock_names_who_holds_it(checkout, tiny):
    code = "import sys; from cxrseg import runs\nwith runs.locked('tiny'): print('held', flush=True); sys.stdin.read()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], cwd=checkout, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        done = cxrseg(checkout, *RUN)
        holder.stdin.close()
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"process {holder.pid} on {socket.gethostname()}" in done.stderr
