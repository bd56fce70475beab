"""What the README says is so."""

import json
import re

import pytest
from support import ROOT

from cxrseg.cli import app

README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("study", ["demo", "quex", "best"])
def test_results_are_the_published_ones(study):
    summary = json.loads((ROOT / "book" / "published" / f"{study}.json").read_text())
    row = next(line for line in README.splitlines() if line.startswith(f"| `{study}`"))
    low, high = summary["dice"]["ci95"]
    assert f"| {summary['n_cases']} | {summary['dice']['mean']:.3f} ({low:.3f} to {high:.3f}) |" in row


def test_the_default_models_score_is_the_published_one():
    scores = json.loads((ROOT / "book" / "published" / "zero-shot.json").read_text())["others"]
    low, high = scores["ci95"]
    row = next(line for line in README.splitlines() if line.startswith("| `phantom`"))
    assert f"| {scores['n']:,} | {scores['mean']:.3f} ({low:.3f} to {high:.3f}) |" in row
    assert "`cxrseg publish zero-shot --data FOLDER`" in row


@pytest.mark.parametrize(("structure", "sign"), [("lungs", "both lungs"), ("heart", "heart")])
def test_scores_on_jsrt_are_the_published_ones(structure, sign):
    published = json.loads((ROOT / "book" / "published" / "jsrt.json").read_text())["others"]
    scores = published["structures"][structure]
    row = next(line for line in README.splitlines() if line.startswith(f"| `phantom`, {sign}"))
    low, high = scores["ci95"]
    assert f"| {published['n']} | {scores['mean']:.3f} ({low:.3f} to {high:.3f}) |" in row


def test_commands_exist():
    known = {command.callback.__name__ for command in app.registered_commands}
    assert set(re.findall(r"`?cxrseg ([a-z]+) ", README)) <= known
    targets = re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text())[1].split()
    assert set(re.findall(r"\bmake ([a-z]+)`?", README)) - {"python"} <= set(targets)


def test_files_exist():
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (ROOT / link).exists(), link


def test_published_numbers_name_their_command_and_no_machine():
    for file in (ROOT / "book" / "published").glob("*.json"):
        content = json.loads(file.read_text())
        assert content["experiment"]["command"], file
        assert not re.search(r"\"(/|[A-Z]:\\\\)", file.read_text()), file
    for file in (ROOT / "book" / "published").glob("*.csv"):
        assert not re.search(r"^\"?(/|[A-Z]:)", file.read_text(), re.MULTILINE), file
