"""Experiments are run through Snakemake, share their runs, survive kills and are made once."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from support import ROOT, TINY, copy_checkout, cxrseg

pytestmark = pytest.mark.slow

SETTINGS = [word for word in TINY if word != "--set"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Return a checkout with two experiments that share a run, from which another starts."""
    folder = copy_checkout(tmp_path_factory.mktemp("to publish"))
    shutil.rmtree(folder / "book" / "published")
    shutil.copytree(ROOT / "experiments", folder / "experiments", ignore=shutil.ignore_patterns("*.yml", "__pycache__"))
    shutil.copy(ROOT / "experiments" / "sets.yml", folder / "experiments")
    longer = [*SETTINGS, "train.epochs=12"]
    (folder / "experiments" / "one.yml").write_text(
        "title: t\nmeasure: experiments/summary\n"
        f"runs: {{a: {{study: demo, name: shared, set: {json.dumps(longer)}}}}}\n"
    )
    (folder / "experiments" / "two.yml").write_text(
        "title: t\nmeasure: experiments/ablation\nreference: first\n"
        f"runs:\n  first: {{study: demo, name: shared, set: {json.dumps(longer)}}}\n"
        f"  second: {{study: demo, name: second, set: {json.dumps([*SETTINGS, 'train.init=shared'])}}}\n"
    )
    return folder


def publish(checkout, *arguments):
    return cxrseg(checkout, "publish", *arguments)


def killed(checkout, after):
    """Start to publish everything, and kill it as soon as a pattern of files below ``runs/`` is there."""
    command = [sys.executable, "-m", "cxrseg.cli", "publish", "all"]
    with subprocess.Popen(command, cwd=checkout, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        deadline = time.monotonic() + 240
        while not list((checkout / "runs").glob(after)) and time.monotonic() < deadline:
            assert process.poll() is None, "finished before it could be killed"
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)


def test_publishing_survives_kills_and_is_done_once(checkout):
    killed(checkout, "shared/fold-0/checkpoint-*")
    killed(checkout, "shared/fold-0/model.keras")
    done = publish(checkout, "all")
    assert done.returncode == 0, done.stdout + done.stderr
    published = checkout / "book" / "published"
    assert {file.name for file in published.iterdir()} == {"one.json", "one.csv", "two.json"}
    heads = [json.loads((published / f"{name}.json").read_text())["experiment"] for name in ("one", "two")]
    assert heads[0]["code"] == heads[1]["code"] and heads[0]["precision"] == heads[1]["precision"] != ""
    rows = json.loads((published / "two.json").read_text())["rows"]
    assert rows["second"]["difference"]["dice"]["n"] == rows["first"]["n"] == 8
    assert not list((checkout / "runs").glob("**/partial*"))

    made = {file: file.stat().st_mtime_ns for file in (checkout / "runs").rglob("*.json")}
    again = publish(checkout, "all", "--check")
    assert again.returncode == 0 and "as published: one, two" in again.stdout
    assert {file: file.stat().st_mtime_ns for file in made} == made


def test_another_way_of_measuring_is_measured_again_and_found_to_differ(checkout):
    before = {file: file.stat().st_mtime_ns for file in (checkout / "runs").glob("*/fold-0/model.keras")}
    script = checkout / "experiments" / "summary.py"
    script.write_text(
        script.read_text().replace("runs.summary(run.run), rows", "runs.summary(run.run) | {'n_cases': 7}, rows")
    )
    done = publish(checkout, "one", "--check")
    assert done.returncode == 1
    assert "error: one: n_cases: published 8, now 7\n" in done.stderr
    assert {file: file.stat().st_mtime_ns for file in before} == before


def test_a_small_experiment_comes_out_as_published(checkout):
    (checkout / "book" / "published").mkdir(exist_ok=True)
    shutil.copy(ROOT / "experiments" / "coverage.yml", checkout / "experiments")
    shutil.copy(ROOT / "book" / "published" / "coverage.json", checkout / "book" / "published")
    done = publish(checkout, "coverage", "--check")
    assert done.returncode == 0, done.stderr
    assert "as published: coverage" in done.stdout


def test_bad_input_is_one_line(checkout):
    plan = checkout / "experiments" / "one.yml"
    plan.write_text(plan.read_text() + "# measured in another way, so that it is out of date\n")
    known = ", ".join(sorted({file.stem for file in plan.parent.glob("*.yml")} - {"sets"}))
    for arguments, named in (
        (("three",), f"no experiment 'three'; there are: {known}"),
        (("one", "--profile", "cloud"), "no such profile"),
    ):
        done = publish(checkout, *arguments)
        assert done.returncode == 1 and named in done.stderr and done.stderr.count("\n") == 1
