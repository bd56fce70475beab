"""Read experiments: ``experiments/<name>.yml`` says which runs a published file rests on, and what measures it.

A run is a study with some changes. Its name follows from them, so that experiments share the runs that they have in
common.
"""

import importlib.util
import re
import shutil
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from cxrseg import paths
from cxrseg.config import Study
from cxrseg.studies import read_study

SETS = "sets"
"""``experiments/sets.yml`` names the files of the sets; it is no experiment."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Set(_Part):
    """A set of radiographs: where its cases come from, as ``data.source``, and the name of its archive."""

    source: str
    file: str


class Variant(_Part):
    """A run: a study with changes, on one of the sets.

    Attributes
    ----------
    study : str
        A study of ``studies/``.
    set : list of str
        Changes, as ``train.epochs=30``.
    data : str
        The set that it is made from, unless it draws phantoms.
    name : str
        The name of the run; by default it follows from study, set and changes.
    also : str
        The label of another run that it is compared with, beside the reference of the experiment.
    """

    study: str
    set: list[str] = []
    data: str = "development"
    name: str = ""
    also: str = ""

    @property
    def run(self) -> str:
        """Name of the run."""
        where = [] if self.data == "development" else [self.data]
        return self.name or re.sub(r"[^A-Za-z0-9._=]+", "-", "-".join([self.study, *where, *self.set])).strip("-")


class Experiment(_Part):
    """One published file and how it is made.

    Attributes
    ----------
    name : str
        Name of the file in ``book/published/``, without its suffix.
    title : str
    measure : str
        Module, as ``experiments/ablation`` or ``benchmarks/train_speed``. Its function ``measure`` returns the content
        of the file, given this experiment, or that and a table of cases, which is published beside it.
    needs : list of str
        Programs and Python packages that the measurement needs beyond those of a study, as ``chromium``. One of several
        will do in ``chromium|chromium-browser``.
    sets : dict of str to Path
        Archives that are read, by the name of the set.
    starts : list of Variant
        Runs from whose weights others start.
    runs : dict of str to Variant
        Runs that are measured, by the label of their row.
    reference : str
        The label of the run with which others are compared.
    options : dict
        What else the module is given.
    tolerance : float
        Largest difference of a number from the published one that ``--check`` accepts, absolute or as a share of it.
        If it is infinite, nothing is compared: times are of one machine.
    """

    name: str
    title: str
    measure: str
    needs: list[str] = []
    sets: dict[str, Path] = {}
    starts: list[Variant] = []
    runs: dict[str, Variant] = {}
    reference: str = ""
    options: dict[str, Any] = {}
    tolerance: float = 0.005

    @property
    def script(self) -> Path:
        """File of the module that measures."""
        return paths.root() / f"{self.measure}.py"

    def every_run(self) -> list[Variant]:
        """Return all runs, those first from which others start."""
        return [*self.starts, *self.runs.values()]


def names() -> list[str]:
    """Return the names of all experiments."""
    return sorted(file.stem for file in folder().glob("*.yml") if file.stem != SETS)


def folder() -> Path:
    """Return the folder of the experiments."""
    return paths.root() / "experiments"


def read(name: str, data: Path) -> Experiment:
    """Read an experiment.

    Parameters
    ----------
    name : str
    data : Path
        Folder with the archives of the sets.

    Raises
    ------
    ValueError
        There is no such experiment, its file is not as it should be, or an archive that it needs is missing. One line
        for each error.
    """
    file = folder() / f"{name}.yml"
    if name == SETS or not file.is_file():
        raise ValueError(f"no experiment {name!r}; there are: {', '.join(names())}")
    sets = _sets()
    try:
        content = yaml.safe_load(file.read_text())
        wanted = content.pop("sets", [])
        found = Experiment(name=name, **content)
    except ValidationError as error:
        lines = [f"{file}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise ValueError("\n".join(lines)) from None
    except (yaml.YAMLError, AttributeError, TypeError) as error:
        raise ValueError(f"{file}: no experiment in YAML: {' '.join(str(error).split())}") from None
    wanted = list(dict.fromkeys([*wanted, *(run.data for run in found.every_run() if _has_files(run))]))
    if unknown := [one for one in wanted if one not in sets]:
        raise ValueError(f"{file}: no set {unknown[0]!r}; {folder() / SETS}.yml has {', '.join(sets)}")
    places = {one: Path(data) / sets[one].file for one in wanted}
    if missing := [str(place) for place in places.values() if not place.exists()]:
        raise ValueError(f"experiment {name!r} needs {', '.join(missing)}: give their folder as --data")
    return found.model_copy(update={"sets": places})


def require(experiment: Experiment) -> None:
    """Raise a ValueError if a program or a package that an experiment needs is not installed."""
    for needed in experiment.needs:
        if not any(shutil.which(one) or importlib.util.find_spec(one) for one in needed.split("|")):
            raise ValueError(f"experiment {experiment.name!r} needs {needed.replace('|', ' or ')}: install it")


def source(name: str) -> str:
    """Return the ``data.source`` of a set."""
    return _sets()[name].source


def studies(experiments: list[Experiment]) -> dict[str, Study]:
    """Return the study of every run of some experiments, by the name of the run, each once.

    Raises
    ------
    ValueError
        Two runs of one name differ.
    """
    found: dict[str, Study] = {}
    for experiment in experiments:
        for run in experiment.every_run():
            study = read_study(paths.study_file(run.study), run.set)
            if _has_files(run):
                path = {"path": str(experiment.sets[run.data].resolve())}
                study = study.model_copy(update={"data": study.data.model_copy(update=path)})
            if found.setdefault(run.run, study) != study:
                raise ValueError(f"two experiments have a run {run.run!r}, with other parameters")
    return found


def _has_files(run: Variant) -> bool:
    return read_study(paths.study_file(run.study), run.set).data.source != "phantom"


def _sets() -> dict[str, Set]:
    content = yaml.safe_load((folder() / f"{SETS}.yml").read_text())
    return {name: Set(**given) for name, given in content.items()}
