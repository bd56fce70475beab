"""What the README says is so."""

import json
import re

import pytest
from support import ROOT

from cxrseg.cli import app

README = (ROOT / "README.md").read_text()


def row(beginning):
    return next(line for line in README.splitlines() if line.startswith(f"| {beginning}"))


def test_the_demos_score_is_the_published_one():
    summary = json.loads((ROOT / "book" / "published" / "demo.json").read_text())
    low, high = summary["dice"]["ci95"]
    assert f"| {summary['n_cases']} | {summary['dice']['mean']:.3f} ({low:.3f} to {high:.3f}) |" in row("`demo`")


@pytest.mark.parametrize(
    ("method", "beginning"),
    [("paper", "`quex`:"), ("best", "`best`:"), ("development", "`best`, trained"), ("default", "`phantom`:")],
)
def test_the_confirmed_scores_are_the_published_ones(method, beginning):
    scores = json.loads((ROOT / "book" / "published" / "confirmation.json").read_text())[method]
    low, high = scores["ci95"]
    assert f"| {scores['n']:,} | {scores['mean']:.3f} ({low:.3f} to {high:.3f}) |" in row(beginning)


@pytest.mark.parametrize(("structure", "sign"), [("lungs", "both lungs"), ("heart", "heart")])
def test_scores_on_jsrt_are_the_published_ones(structure, sign):
    published = json.loads((ROOT / "book" / "published" / "jsrt.json").read_text())["others"]
    scores = published["structures"][structure]
    low, high = scores["ci95"]
    assert f"| {published['n']} | {scores['mean']:.3f} ({low:.3f} to {high:.3f}) |" in row(f"`phantom`, {sign}")


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
