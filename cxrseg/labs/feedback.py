"""Say at once whether an answer is right: of an exercise, and of a quiz."""

import html
import json
from collections.abc import Callable
from pathlib import Path

from IPython.display import display

UNANSWERED = "replace the three dots, and run the cell again"

STYLE = """<style>
.lab-answer, .lab-quiz p.because { border-left: .3rem solid; padding: .2rem .6rem; margin: .4rem 0; }
.lab-right { border-color: #009e73; }
.lab-wrong { border-color: #d55e00; }
.lab-quiz fieldset { border: 1px solid #8888; border-radius: .3rem; padding: .2rem .8rem; margin: .8rem 0; }
.lab-quiz legend { font-weight: 600; padding: 0 .3rem; width: auto; font-size: 1rem; }
.lab-quiz fieldset div { display: flex; flex-wrap: wrap; align-items: baseline; column-gap: .5rem; }
.lab-quiz label { flex: 1; }
.lab-quiz p.because { flex-basis: 100%; }
.lab-quiz input:not(:checked) ~ p.because { display: none; }
</style>"""
"""Neither needs a script, so both work in a page that was saved, and by keyboard."""


def check(problem: Callable[..., str], *answers) -> None:
    """Show whether the answers to an exercise are right, and if not, what may be wrong with them.

    Parameters
    ----------
    problem : callable
        Takes the answers. Returns an empty text if they are right, or a sentence that says what is wrong with them.
    *answers
        What the student found; ``...`` where nothing was.
    """
    said = verdict(problem, *answers)
    end = "" if said.endswith("?") else "."
    kind, words = ("wrong", f"Not yet: {said}{end}") if said else ("right", "Right.")
    markup = f'{STYLE}<div class="lab-answer lab-{kind}">{"✗" if said else "✓"} {html.escape(words)}</div>'
    display({"text/html": markup, "text/plain": words}, raw=True)


def verdict(problem: Callable[..., str], *answers) -> str:
    """Return what is wrong with answers, in one sentence without its full stop; an empty text if they are right."""
    if any(answer is ... or answer is None for answer in answers):
        return UNANSWERED
    try:
        return problem(*answers).rstrip(".")
    except Exception as error:
        # Whatever a student may hand in, the answer is a sentence and not a traceback.
        return f"this cannot be checked ({type(error).__name__}: {error}); is it of the kind that is asked for?"


def quiz(lab: str) -> None:
    """Show the questions of a lab, whose options say at once whether they are right, and why.

    Parameters
    ----------
    lab : str
        Name of a file in ``quizzes/``: a list of questions, each with its options, exactly one of which is right.

    Raises
    ------
    FileNotFoundError
        There is no such quiz.
    """
    questions = questions_of(lab)
    blocks = "\n".join(_question(f"{lab}-{number}", question) for number, question in enumerate(questions, 1))
    plain = "\n".join(question["question"] for question in questions)
    display({"text/html": f'{STYLE}<div class="lab-quiz">{blocks}</div>', "text/plain": plain}, raw=True)


def questions_of(lab: str) -> list[dict]:
    """Return the questions of a lab: ``question`` and ``options``, each with ``text``, ``right`` and ``because``."""
    return json.loads((Path(__file__).parent / "quizzes" / f"{lab}.json").read_text())


def _question(name: str, question: dict) -> str:
    options = []
    for number, option in enumerate(question["options"], 1):
        kind, word = ("right", "Right") if option["right"] else ("wrong", "No")
        options.append(
            f'<div><input type="radio" name="{name}" id="{name}-{number}">'
            f'<label for="{name}-{number}">{html.escape(option["text"])}</label>'
            f'<p class="because lab-{kind}">{word}. {html.escape(option["because"])}</p></div>'
        )
    return f"<fieldset><legend>{html.escape(question['question'])}</legend>{''.join(options)}</fieldset>"
