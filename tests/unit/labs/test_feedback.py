"""What a student is told, and that a quiz needs no script."""

import re

import pytest

from cxrseg.labs import feedback


def shown(capsys_or_list, monkeypatch, *arguments):
    monkeypatch.setattr(feedback, "display", lambda data, raw: capsys_or_list.append(data))
    feedback.check(*arguments)
    return capsys_or_list[-1]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((...,), "Not yet: replace the three dots"),
        ((1, ...), "Not yet: replace the three dots"),
        ((None,), "Not yet: replace the three dots"),
        ((4,), "Right."),
        ((5,), "Not yet: five is too much."),
        ((6,), "Not yet: is six four?"),
        (("four",), "Not yet: this cannot be checked (TypeError"),
    ],
)
def test_an_answer_is_right_or_gets_a_sentence(answers, expected, monkeypatch):
    def problem(number, other=0):
        return {4: "", 5: "five is too much.", 6: "is six four?"}[number + other]

    said = shown([], monkeypatch, problem, *answers)
    assert said["text/plain"].startswith(expected)
    assert not said["text/plain"].endswith("?.")
    assert ("lab-right" in said["text/html"].split("</style>")[1]) == (expected == "Right.")


def test_what_a_problem_says_is_text(monkeypatch):
    said = shown([], monkeypatch, lambda answer: "<script>alert(1)</script>", 1)
    assert "<script>" not in said["text/html"] and "&lt;script&gt;" in said["text/html"]


def test_a_quiz_needs_no_script_and_every_option_has_a_label(monkeypatch):
    parts = []
    monkeypatch.setattr(feedback, "display", lambda data, raw: parts.append(data["text/html"]))
    feedback.quiz("scores")
    markup = parts[0]
    assert "<script" not in markup and "onclick" not in markup
    inputs = re.findall(r'<input type="radio" name="\S+" id="(\S+)">', markup)
    assert inputs and inputs == re.findall(r'<label for="(\S+)">', markup)
    assert len(set(inputs)) == len(inputs)
