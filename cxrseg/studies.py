"""Read, write and compare study files. A file that lists several values for a key is a sweep."""

import copy
import difflib
import itertools
import json
import re
from pathlib import Path
from typing import ClassVar, get_origin

import yaml
from pydantic import ValidationError

from cxrseg.config import DataConfig, EvaluateConfig, Study, TrainConfig


class _Loader(yaml.SafeLoader):
    """Reads YAML, but refuses a key that is given twice, and takes plain numbers in decimal alone.

    In YAML 1.1, which PyYAML reads, 012 is ten, and 1:30 and 1:30.0 are ninety.
    """

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, rule) for tag, rule in rules if tag not in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_NUMBERS = {
    "int": r"[-+]?(0|[1-9][0-9_]*)$",
    "float": r"([-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?|[-+]?\.(inf|nan))$",
}
for kind, rule in _NUMBERS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(rule), list("-+.0123456789"))

SECTIONS = {"data": DataConfig, "train": TrainConfig, "evaluate": EvaluateConfig}


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
        One line for each error. It names the file, the key and the nearest known key.
    """
    return _validate(path, _content(path, overrides))


def data_override(path: str) -> list[str]:
    """Return the override by which a study reads the given radiographs, or none where no path is given.

    Raises
    ------
    ValueError
        There is no such file or folder.
    """
    if not path:
        return []
    found = Path(path).expanduser()
    if not found.exists():
        raise ValueError(f"--data {path}: no such file or folder")
    return [f"data.path={json.dumps(str(found.resolve()), ensure_ascii=False)}"]  # some paths are also valid YAML


def read_sweep(path: Path, overrides: list[str] = ()) -> dict[str, Study]:
    """Read a study file in which a single-valued key may list several values, as ``train.base_filters: [8, 16, 32]``.

    Parameters
    ----------
    path, overrides
        As for `read_study`. An override may list values as well.

    Returns
    -------
    dict of str to Study
        One study for every combination of the values, in their order. The key is the suffix that the name of its run
        adds to that of the study, as ``-base_filters=8``. A study that lists no values has the one suffix ``""``.

    Raises
    ------
    ValueError
        As for `read_study`. Also raised where a list is empty or holds a value twice.
    """
    content = _content(path, overrides)
    listed = _listed(content)
    sweep = {}
    for values in itertools.product(*listed.values()):
        one = copy.deepcopy(content)
        for key, value in zip(listed, values, strict=True):
            _put(one, key, value)
        study = _validate(path, one)
        suffix = _suffix(study, list(listed))
        if suffix in sweep:
            raise ValueError(f"{path}: two runs of the sweep would both be called …{suffix}: list each value once")
        sweep[suffix] = study
    if not sweep:
        empty = next(key for key, values in listed.items() if not values)
        raise ValueError(f"{path}: {empty} lists no value")
    return sweep


def _content(path: Path, overrides: list[str]) -> dict:
    """Read the keys and values of a study file, and apply the overrides."""
    try:
        content = yaml.load(Path(path).read_text(encoding="utf-8"), _Loader) or {}
    except FileNotFoundError:
        known = sorted(file.stem for file in Path(path).parent.glob("*.yml"))
        raise ValueError(f"no study {path}{_near(Path(path).stem, known)}; there are: {', '.join(known)}") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ValueError(f"{path}: not a readable YAML file: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected keys and values such as 'title: …', found {type(content).__name__}")
    if odd := [key for key in content if not isinstance(key, str)]:
        raise ValueError(f"{path}: the key {odd[0]!r} is no text; put it in quotation marks")
    content.setdefault("name", Path(path).stem)
    for override in overrides:
        _apply(content, override)
    return content


def _validate(path: Path, content: dict) -> Study:
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        raise ValueError("\n".join(_explain(path, problem) for problem in error.errors())) from None


def _listed(content: dict) -> dict[str, list]:
    """Return the dotted keys that take one value but list several."""
    fields = {key: field for key, field in Study.model_fields.items() if key not in {"name", "title", *SECTIONS}}
    fields |= {f"{name}.{key}": field for name, model in SECTIONS.items() for key, field in model.model_fields.items()}
    given = _flat(content)
    return {
        key: given[key]
        for key, field in fields.items()
        if isinstance(given.get(key), list) and get_origin(field.annotation) not in (list, dict)
    }


def _suffix(study: Study, keys: list[str]) -> str:
    """Return the suffix that names one run of a sweep, in characters that suit a folder name."""
    values, last = _flat(study.model_dump()), [key.rpartition(".")[2] for key in keys]
    parts = []
    for key, short in zip(keys, last, strict=True):
        text = str(values[key]).lower() if isinstance(values[key], bool) else str(values[key])
        parts.append(f"-{short if last.count(short) == 1 else key}={re.sub('[^A-Za-z0-9._-]+', '_', text) or 'none'}")
    return "".join(parts)


def write_study(study: Study, path: Path) -> None:
    """Write every key of a study, defaults included, so that the file alone repeats it."""
    Path(path).write_text(yaml.safe_dump(study.model_dump(), sort_keys=False, allow_unicode=True), encoding="utf-8")


def differences(a: Study, b: Study) -> dict[str, tuple]:
    """Return ``{key: (value in a, value in b)}`` for every dotted key on which two studies differ."""
    left, right = _flat(a.model_dump()), _flat(b.model_dump())
    return {key: (left[key], right[key]) for key in left if left[key] != right[key]}


def _flat(tree: dict, prefix: str = "") -> dict:
    flat = {}
    for key, value in tree.items():
        if isinstance(value, dict) and key in SECTIONS:
            flat |= _flat(value, f"{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _apply(content: dict, override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ValueError(f"--set {override}: expected key=value, as in train.epochs=30")
    try:
        value = (
            yaml.load(text, _Loader) if text else ""
        )  # YAML reads an empty text as null; here it means an empty string
    except yaml.YAMLError:
        raise ValueError(f"--set {override}: {text!r} is not a YAML value") from None
    try:
        _put(content, key, value)
    except TypeError as error:
        raise ValueError(f"--set {override}: {error}") from None


def _put(content: dict, key: str, value) -> None:
    """Set a dotted key."""
    *parents, last = key.split(".")
    for parent in parents:
        if content.get(parent) is None:  # an empty section of a file
            content[parent] = {}
        content = content[parent]
        if not isinstance(content, dict):
            raise TypeError(f"{parent} has no keys of its own")
    content[last] = value


def _explain(path: Path, problem: dict) -> str:
    """Turn one pydantic error into one line for people."""
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
