"""Study files: read with overrides, written whole, compared key by key."""

import difflib
from pathlib import Path

import yaml
from pydantic import ValidationError

from cxrseg.config import Study


def read_study(path: Path, overrides: list[str] = ()) -> Study:
    """Read a study file and apply ``key=value`` overrides to it.

    Parameters
    ----------
    path : Path
        A YAML file with the keys of `Study`.
    overrides : list of str
        As ``train.epochs=30``; the value is read as YAML.

    Returns
    -------
    Study

    Raises
    ------
    ValueError
        One line for each thing that is wrong, naming the file and the key, with the near match.
    """
    try:
        content = yaml.safe_load(Path(path).read_text()) or {}
    except FileNotFoundError:
        known = sorted(file.stem for file in Path(path).parent.glob("*.yml"))
        raise ValueError(f"no study {path}{_near(Path(path).stem, known)}; there are: {', '.join(known)}") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ValueError(f"{path}: not a readable YAML file: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected keys and values such as 'title: …', found {type(content).__name__}")
    content.setdefault("name", Path(path).stem)
    for override in overrides:
        _apply(content, override)
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        raise ValueError("\n".join(_explain(path, problem) for problem in error.errors())) from None


def write_study(study: Study, path: Path) -> None:
    """Write every key of a study, defaults included, so that the file alone repeats it."""
    Path(path).write_text(yaml.safe_dump(study.model_dump(), sort_keys=False, allow_unicode=True))


def differences(a: Study, b: Study) -> dict[str, tuple]:
    """Return ``{key: (value in a, value in b)}`` for every dotted key on which two studies differ."""
    left, right = _flat(a.model_dump()), _flat(b.model_dump())
    return {key: (left[key], right[key]) for key in left if left[key] != right[key]}


def _flat(tree: dict, prefix: str = "") -> dict:
    flat = {}
    for key, value in tree.items():
        if isinstance(value, dict) and key in ("data", "train", "evaluate"):
            flat |= _flat(value, f"{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _apply(content: dict, override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ValueError(f"--set {override}: expected key=value, as in train.epochs=30")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ValueError(f"--set {override}: {text!r} is not a YAML value") from None
    *parents, last = key.split(".")
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            raise ValueError(f"--set {override}: {parent} has no keys of its own")
    content[last] = value


def _explain(path: Path, problem: dict) -> str:
    """Turn one of pydantic's problems into a line for people."""
    place = [str(part) for part in problem["loc"]]
    key = ".".join(place)
    if problem["type"] == "extra_forbidden":
        parent = Study
        for part in place[:-1]:
            parent = parent.model_fields[part].annotation
        known = [".".join([*place[:-1], name]) for name in parent.model_fields]
        every = list(_flat(Study().model_dump()))
        return f"{path}: unknown key {key}{_near(key, known) or _near(key, every)}"
    if problem["type"] == "value_error":
        return f"{path}: {key + ': ' if key else ''}{problem['ctx']['error']}"
    message = problem["msg"][0].lower() + problem["msg"][1:]
    return f"{path}: {key} = {problem['input']!r}: {message}"


def _near(word: str, known: list[str]) -> str:
    last = {name.rpartition(".")[2]: name for name in known}
    match = difflib.get_close_matches(word, known, n=1) or [
        last[name] for name in difflib.get_close_matches(word.rpartition(".")[2], last, n=1)
    ]
    return f" (did you mean {match[0]}?)" if match else ""
