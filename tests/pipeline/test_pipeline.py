"""The chain as its users call it: `cxrseg run`, and what a change makes again."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from support import TINY, cxrseg
from typer.testing import CliRunner

from cxrseg.cli import app
from cxrseg.data.dataset import Dataset

pytestmark = pytest.mark.slow


def dates(run, *files):
    return {file: (run / file).stat().st_mtime_ns for file in files}


LONGER = ["run", "demo", "--name", "longer", *TINY, "--set", "train.epochs=30"]
ARTEFACTS = ("data/images.npy", "fold-0/model.keras", "cases.csv", "summary.json", "notebooks/04-compare.ipynb")


def test_run_leaves_what_the_contract_names(tiny):
    summary = json.loads((tiny / "summary.json").read_text())
    assert (summary["study"], summary["run"]) == ("demo", "tiny")
    assert set(summary["dice"]) >= {"mean", "ci95", "p5", "min"}
    assert set(summary["classes"]) == {"COVID", "Non-COVID", "Normal"}
    assert summary["structures"]["lungs"]["dice"] == summary["dice"]
    provenance = summary["provenance"]
    assert set(provenance) >= {
        "commit", "versions", "hardware", "seeds", "durations_s", "dataset_fingerprint", "precision", "created",
    }  # fmt: skip
    rows = pd.read_csv(tiny / "cases.csv")
    assert list(rows.columns[:4]) == ["case_id", "label", "fold", "structure"]
    assert summary["dice"]["mean"] == pytest.approx(rows["dice"].mean(), abs=1e-4)
    assert not list(tiny.rglob("*partial*"))


@pytest.mark.parametrize("profile", [[], ["--profile", "gpu"]], ids=["", "profile gpu"])
def test_nothing_is_done_twice(profile, checkout, tiny):
    before = dates(tiny, *ARTEFACTS)
    done = cxrseg(checkout, "run", "demo", "--name", "tiny", *TINY, *profile)
    assert done.returncode == 0, done.stderr
    assert "mean Dice" in done.stdout
    assert dates(tiny, *ARTEFACTS) == before


def test_other_parameters_are_refused_by_name(checkout, tiny):
    done = cxrseg(checkout, "run", "demo", "--name", "tiny", *TINY, "--set", "train.epochs=3")
    assert done.returncode == 1
    assert done.stderr.startswith("error: run 'tiny' exists with other parameters (train.epochs 2 -> 3)")
    assert done.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def resumed(checkout):
    """Return a run that was killed while it trained, and taken up again, and what was said then."""
    command = [sys.executable, "-m", "cxrseg.cli", *LONGER]
    run = checkout / "runs" / "longer"
    with subprocess.Popen(command, cwd=checkout, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        deadline = time.monotonic() + 180
        while not list(run.glob("fold-0/checkpoint-*")) and time.monotonic() < deadline:
            assert process.poll() is None, "finished before it could be killed"
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    done = cxrseg(checkout, *LONGER)
    assert done.returncode == 0, done.stderr
    return run, done.stdout


def test_killed_run_goes_on(resumed):
    run, said = resumed
    assert "going on after epoch" in said
    assert len(pd.read_csv(run / "fold-0" / "history.csv")) <= 30


def test_more_folds_and_another_threshold_keep_what_was_trained(checkout, tiny, resumed):
    run, _ = resumed
    before = dates(run, *ARTEFACTS)
    done = cxrseg(checkout, *LONGER, "--set", "run_folds=3", "--set", "evaluate.threshold=0.4")
    assert done.returncode == 0, done.stderr
    after = dates(run, *ARTEFACTS)
    assert [file for file in ARTEFACTS if after[file] == before[file]] == ["data/images.npy", "fold-0/model.keras"]
    assert "WARNING" not in (run / "notebooks" / "03-evaluate.ipynb").read_text() + done.stdout
    assert json.loads((run / "summary.json").read_text())["parameters"]["evaluate"]["threshold"] == 0.4
    rows = pd.read_csv(run / "cases.csv")
    assert rows["case_id"].is_unique
    assert len(rows) == 24
    assert rows["fold"].nunique() == 3
    done = cxrseg(checkout, "compare", "longer", "tiny")
    assert done.returncode == 0, done.stderr
    # The hold-out run tested one of the folds of the same dataset.
    assert re.search(rf"\bpaired +{len(pd.read_csv(tiny / 'cases.csv'))} ", done.stdout), done.stdout


@pytest.fixture(scope="session")
def sweep(checkout):
    """Return the folders of a sweep's two runs, the study with the list in the checkout."""
    study = {"run_folds": 1, "data": {}, "train": {}, "evaluate": {}}
    for key, _, value in (text.partition("=") for text in TINY[1::2]):
        section, name = key.split(".")
        study[section][name] = yaml.safe_load(value)
    study["train"] |= {"base_filters": [4, 2], "epochs": 1}
    (checkout / "studies" / "widths.yml").write_text(yaml.safe_dump(study))
    done = cxrseg(checkout, "run", "widths")
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("run ")]
    return [checkout / "runs" / f"widths-base_filters={width}" for width in (4, 2)]


def test_sweep_is_a_run_for_each_value_compared_on_one_page(checkout, sweep):
    widths = [json.loads((run / "summary.json").read_text())["parameters"]["train"]["base_filters"] for run in sweep]
    assert widths == [4, 2]
    assert len({(run / "data" / "dataset.json").read_text().split("fingerprint")[1][:80] for run in sweep}) == 1
    first, second = ((run / "notebooks" / "04-compare.ipynb").read_text() for run in sweep)
    assert sweep[1].name in first and "mean_shape" not in first
    assert sweep[0].name not in second and "mean_shape" in second
    done = cxrseg(checkout, "compare", "widths")
    assert done.returncode == 0, done.stderr
    assert re.search(rf"{sweep[1].name} .*\bpaired", done.stdout)
    assert re.search(r"train.base_filters +4 +2$", done.stdout, re.MULTILINE)


def test_sweep_is_not_done_twice_and_a_run_of_it_stands_alone(checkout, sweep):
    before = [dates(run, *ARTEFACTS) for run in sweep]
    assert cxrseg(checkout, "run", "widths").returncode == 0
    assert [dates(run, *ARTEFACTS) for run in sweep] == before
    for run, width in zip(sweep, (4, 2), strict=True):  # the first one keeps its comparison
        done = cxrseg(checkout, "run", "widths", "--set", f"train.base_filters={width}", "--name", run.name)
        assert done.returncode == 0, done.stderr
    assert [dates(run, *ARTEFACTS) for run in sweep] == before


def test_a_run_that_starts_from_another_waits_for_all_its_folds(checkout, sweep):
    study = yaml.safe_load((sweep[0] / "study.yml").read_text())
    for name, init in (("one", ""), ("two", "one")):
        (checkout / "runs" / name).mkdir()
        study |= {"run_folds": 2, "train": study["train"] | {"init": init}}
        (checkout / "runs" / name / "study.yml").write_text(yaml.safe_dump(study))
    command = [sys.executable, "-m", "snakemake", "all", "--snakefile", checkout / "Snakefile", "--directory", "runs"]
    command += ["--config", 'runs=["one", "two"]', "--cores", "2", "--dry-run"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    wanted = {line for line in re.findall(r"rule train:\n +input: (.*)", done.stdout) if "two/data" in line}
    assert len(wanted) == 1  # both folds have the same input
    assert {f"one/fold-{fold}/model.keras" for fold in (0, 1)} <= set(wanted.pop().split(", "))


def test_trainings_share_the_cores_at_once(checkout, sweep):
    command = [sys.executable, "-m", "snakemake", "all", "--snakefile", checkout / "Snakefile", "--directory", "runs"]
    for name in ("first", "second"):  # begun, and nothing made yet
        (checkout / "runs" / name).mkdir()
        shutil.copy(sweep[0] / "study.yml", checkout / "runs" / name)
    command += ["--config", 'runs=["first", "second"]', "--cores", "6", "--dry-run"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"rule train:.*?threads: (\d+)", done.stdout, re.DOTALL) == ["3", "3"]


def test_sweep_with_a_run_of_other_parameters_starts_nothing(checkout, sweep):
    done = cxrseg(checkout, "run", "widths", "--set", "train.base_filters=[3, 4]", "--set", "train.epochs=2")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: run '{sweep[0].name}' exists with other parameters (train.epochs 1 -> 2)")
    assert not (checkout / "runs" / "widths-base_filters=3").exists()


def test_two_processes_do_not_meet_in_one_run(checkout, tiny):
    import fcntl

    before = dates(tiny, "study.yml", "snakemake.log")
    with open(tiny / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = cxrseg(checkout, "run", "demo", "--name", "tiny", *TINY, "--set", "evaluate.threshold=0.3")
    assert dates(tiny, "study.yml", "snakemake.log") == before
    assert done.returncode == 1
    assert "another process is at work on run 'tiny'" in done.stderr


def test_failed_stage_names_notebook_and_cell(checkout, tmp_path):
    archive = tmp_path / "an: empty #1.zip"
    archive.touch()
    done = cxrseg(checkout, "run", "quex", "--data", archive, "--name", "broken")
    assert done.returncode == 1
    assert "notebooks/01-data.ipynb, cell" in done.stderr
    assert str(archive) in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (checkout / "runs" / "broken" / "data").exists()


def folder_of_images(target, run):
    """Write some prepared cases as a folder of pictures, of other sizes than the network's."""

    dataset = Dataset.load(run / "data")
    images, masks = dataset.images, dataset.masks
    for k in range(4):
        place = target / ("Covid-19" if k % 2 else "Normal")
        for kind, pixels in (("images", images[k]), ("masks", masks[k, ..., 0] * 255)):
            (place / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).resize((150, 120)).save(place / kind / f"case{k}.png")
    return target


def test_external_evaluation_scores_what_can_be_read(checkout, tiny, tmp_path):
    folder = folder_of_images(tmp_path / "hospital 1.5 #2: new", tiny)
    (folder / "Normal" / "images" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n1234")
    (folder / "Normal" / "masks" / "torn.png").write_bytes(b"")
    for kind, grey in (("images", 90), ("masks", 0)):
        picture = Image.fromarray(np.full((120, 150), grey, np.uint8))
        picture.putpixel((1, 1), grey // 2)
        picture.save(folder / "Normal" / kind / "black.png")
    done = cxrseg(checkout, "evaluate", "tiny", "--on", f"folder:{folder}", "--native")
    assert done.returncode == 0, done.stderr
    result = tiny / "external" / f"{folder.name}-native"
    summary = json.loads((result / "summary.json").read_text())
    assert summary["n_cases"] == 4
    assert set(summary["classes"]) == {"COVID", "Normal"}
    assert len(summary["refused"]) == 2
    assert {
        "torn" in case["case_id"] or case["reason"] == "the lungs mask is empty" for case in summary["refused"]
    } == {True}
    assert "left out: 2 unusable cases; the first is " in done.stdout
    rows = pd.read_csv(result / "cases.csv")
    truth = [int(Image.open(f).convert("L").point(lambda v: 255 * (v >= 128)).histogram()[255])
             for f in sorted(folder.rglob("masks/case*.png"))]  # fmt: skip
    assert sorted(rows["truth_pixels"]) == sorted(truth)


def test_external_evaluation_names_the_runs_own_radiographs(checkout, tiny, tmp_path):

    dataset = Dataset.load(tiny / "data")
    images, masks = dataset.images, dataset.masks
    for k, label in enumerate(("Normal", "Covid-19")):
        for kind, pixels in (("images", images[k]), ("masks", masks[k, ..., 0] * 255)):
            (tmp_path / "own" / label / kind).mkdir(parents=True)
            pixels = pixels if label == "Normal" else pixels[:, ::-1]
            Image.fromarray(pixels).save(tmp_path / "own" / label / kind / "a.png")
    done = cxrseg(checkout, "evaluate", "tiny", "--on", f"folder:{tmp_path / 'own'}")
    assert done.returncode == 0, done.stderr
    summary = json.loads((tiny / "external" / "own" / "summary.json").read_text())
    assert len(summary["own"]) == 1 and "Normal" in summary["own"][0]
    assert "1 of these radiographs are the run's own" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", "demmo"], "did you mean demo?"),
        (["run", "demo", "--set", "train.epoch=3"], "did you mean train.epochs?"),
        (["run", "demo", "--name", "default"], "reserved"),
        (["run", "demo", "--set", "data.structures=[lungs,lungs]"], "each structure once"),
        (["run", "demo", "--name", "../out"], "run name '../out'"),
        (["run", "quex", "--data", "nowhere.zip"], "nowhere.zip"),
        (["run", "quex"], "cxrseg run quex --data PATH"),
        (["book", "quex"], "cxrseg run quex --data PATH"),
        (["run", "demo", "--profile", "nocluster"], "no such profile"),
        (["evaluate", "nobody", "--on", "folder:."], "no run 'nobody'"),
        (["evaluate", "tiny", "--on", "here"], "expected SOURCE:PATH"),
        (["evaluate", "tiny", "--on", "run:tiny"], "has learnt from this dataset"),
        (["matrix", "--runs", "nobody", "--on", "folder:."], "nobody"),
        (["matrix", "--runs", "default,tiny", "--on", "folder:."], "name another run first"),
        (["matrix", "--runs", "tiny,tiny", "--on", "folder:."], "twice"),
        (["matrix", "--runs", "tiny", "--on", "folder:.", "--on", "folder:."], "another set of the name"),
        (["matrix", "--runs", "tiny", "--on", "folder:nowhere"], "no such file or folder"),
        (["compare", "nobody"], "no run 'nobody'"),
        (["book", "nobody"], "no study and no run 'nobody'"),
        (["evaluate", "tiny", "--on", "run:nobody"], "no run 'nobody'"),
        (["fetch", "nothing"], "rsua"),
    ],
)
def test_bad_input_is_one_line(checkout, tiny, arguments, named, monkeypatch):
    monkeypatch.chdir(checkout)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert named in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_unwritable_output_is_one_line(checkout):
    (checkout / "runs").mkdir(exist_ok=True)
    blocked = checkout / "runs" / "blocked"
    blocked.write_text("a file where the run's folder should go")
    done = cxrseg(checkout, "run", "demo", "--name", "blocked", *TINY)
    assert done.returncode == 1
    assert "blocked" in done.stderr
    assert done.stderr.count("\n") == 1


def test_every_command_has_help():
    for command in app.registered_commands:
        done = CliRunner().invoke(app, [command.callback.__name__, "--help"])
        assert done.exit_code == 0
        assert len(done.stdout.splitlines()) > 5


def test_studies_are_listed(checkout):
    done = cxrseg(checkout, "studies")
    # The file names are the oracle: each is listed once, in order.
    files = sorted(file.stem for file in (checkout / "studies").glob("*.yml"))
    assert [line.split()[0] for line in done.stdout.splitlines()] == files
    assert "demo" in files
    assert "RSUA" in done.stdout
