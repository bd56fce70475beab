"""What a study may set, as frozen pydantic models. They refuse unknown keys and impossible values.

The names and defaults here are also the names and defaults of the notebooks' ``parameters`` cells
(a test holds them together). `Study` is one YAML file under ``studies/``.
"""

import ast
import difflib
import itertools
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Share = Annotated[float, Field(ge=0, le=1)]

MAX_SEED = 2**32 - 1
"""The largest seed that NumPy's older generators take, which libraries use."""

NEVER_EMPTY = "lungs"
"""The structure that every chest has. Others, such as an infection or a heart that nobody outlined, can be missing."""


class Section(BaseModel):
    """A section of a study: immutable, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_truth_value(cls, value, field):
        if isinstance(value, bool) and cls.model_fields[field.field_name].annotation is not bool:
            raise ValueError(
                f"{str(value).lower()} is a truth value (as yes, no, on and off are in YAML): give another"
            )
        return value

    @classmethod
    def pick(cls, names: dict):
        """Build the section from a notebook's variables, one for each key, as ``TrainConfig.pick(globals())``.

        Raises
        ------
        ValueError
            Papermill was given a parameter that the notebook does not have.
        """
        check_parameters(names)
        return cls(**{key: names[key] for key in cls.model_fields})


def check_parameters(names: dict) -> None:
    """Refuse parameters that a notebook does not have. Papermill only warns of them.

    Parameters
    ----------
    names : dict
        The notebook's variables, its executed cells (``In``) among them. Papermill puts what it is given into a cell
        of their own, after the notebook's parameters. Without such a cell, nothing is checked.

    Raises
    ------
    ValueError
        One line that names the parameter and the nearest one that the notebook has.
    """
    for own, given in itertools.pairwise(names.get("In", [])):
        if given.startswith("# Parameters\n"):
            known = _assigned(own)
            for name in _assigned(given):
                if name not in known:
                    near = difflib.get_close_matches(name, known, n=1, cutoff=0)
                    raise ValueError(f"this notebook has no parameter {name!r} (did you mean {near[0]!r}?)")


def _assigned(cell: str) -> list[str]:
    """Return the names to which a cell of parameters assigns a value."""
    return [
        node.id for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


class DataConfig(Section):
    """Which radiographs, and how they are split (notebook 01-data)."""

    source: Literal[
        "phantom", "rsua", "covid_qu_ex", "jsrt", "montgomery", "shenzhen", "darwin", "chexmask", "folder", "csv"
    ] = Field("phantom", description="where the radiographs come from")
    setting: Literal["realistic", "randomised"] = Field(
        "realistic", description="of phantoms: as a chest looks, or varied far beyond that, to learn from"
    )
    path: str = Field("", description="archive or folder of the source; empty: the source's own default")
    structures: list[str] = Field(["lungs"], min_length=1, description="what to segment; the first one is scored first")
    labels: dict[str, list[Annotated[int, Field(ge=1)]]] = Field(
        {}, description="of label maps: the values of each structure; empty: the two lungs, if there are two values"
    )
    patient: str = Field(
        "", description="regular expression whose first group is the patient in a file name; empty: none"
    )
    cases_per_class: dict[str, Annotated[int, Field(ge=1)]] = Field(
        {}, description="how many cases to draw of each class; empty: the source's own number"
    )
    image_size: int = Field(256, ge=32, le=1024, description="side of the stored images and masks, pixels")
    folds: int = Field(5, ge=2, le=20, description="parts of the split; each is the test part once")
    max_refused: Share = Field(0.05, description="largest share of unusable cases to carry on with")
    seed: int = Field(2023, ge=0, le=MAX_SEED, description="draws the cases, the phantoms and the folds")

    @field_validator("structures")
    @classmethod
    def _each_once(cls, structures):
        if len(set(structures)) < len(structures):
            raise ValueError(f"{', '.join(structures)}: expected each structure once")
        return structures

    @model_validator(mode="after")
    def _has_files(self):
        if self.source == "phantom" and self.path:
            raise ValueError(f"path {self.path} is given, but phantoms come from no file: set data.source as well")
        for key in ("labels", "patient"):
            if getattr(self, key) and self.source not in ("folder", "csv"):
                raise ValueError(f"{key} goes only with the source folder or csv, not with {self.source}: remove it")
        if unknown := [name for name in self.labels if name not in self.structures]:
            raise ValueError(
                f"labels names {unknown[0]}, which is not among structures ({', '.join(self.structures)}): add it there"
            )
        return self


class TrainConfig(Section):
    """The network and how it learns (notebook 02-train). The defaults suit a few minutes on two cores."""

    input_size: int = Field(128, ge=32, le=1024, description="side of the network's input, pixels")
    base_filters: int = Field(16, ge=1, le=256, description="channels of the first level")
    growth: float = Field(2.0, ge=1, le=2, description="how many times as many channels each level down has")
    depth: int = Field(5, ge=2, le=7, description="resolution levels, the lowest included")
    stride: Literal[1, 2] = Field(1, description="2: the network works at half of input_size")
    batch_norm: bool = Field(False, description="batch normalisation after each convolution")
    init: str = Field("", description="run whose weights to start from, or default, the shipped ones; empty: random")
    cases: int = Field(0, ge=0, description="cases of the training folds to learn from, validation included; 0: all")
    epochs: int = Field(25, ge=1, le=10_000, description="passes over the training part")
    batch_size: int = Field(8, ge=1, le=1024, description="images per gradient step")
    loss: Literal["cross_entropy", "cross_entropy_dice"] = Field(
        "cross_entropy", description="binary cross-entropy, alone or plus one minus the soft Dice of each image"
    )
    learning_rate: float = Field(5e-4, gt=0, le=1, description="step size of Adam, at its highest")
    schedule: Literal["constant", "cosine"] = Field(
        "constant", description="of the learning rate; cosine: a short rise, then down (with averaging: to 0.3)"
    )
    averaging: float = Field(
        0, ge=0, lt=1, description="momentum of a running mean of the weights, which is then what counts; 0: none"
    )
    patience: int = Field(10, ge=0, description="epochs without a better validation loss before stopping; 0: never")
    validation_share: float = Field(0.1, gt=0, le=0.5, description="share of the training folds kept for validation")
    augment: bool = Field(False, description="randomly rotate, scale, shift and re-expose the training images")
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = Field(
        "auto", description="arithmetic; auto: what the hardware does natively"
    )
    seed: int = Field(2023, ge=0, le=MAX_SEED, description="initial weights, validation part, data order, augmentation")

    @model_validator(mode="after")
    def _halves(self):
        step = self.stride * 2 ** (self.depth - 1)
        if self.input_size % step:
            raise ValueError(
                f"input_size {self.input_size} does not suit depth {self.depth} and stride {self.stride}: "
                f"use a multiple of {step}"
            )
        return self


class EvaluateConfig(Section):
    """How the trained networks are scored (notebook 03-evaluate)."""

    threshold: float = Field(0.5, gt=0, lt=1, description="probability from which a pixel counts as lung")
    pieces: int = Field(0, ge=0, description="largest pieces of the lungs to keep, their holes filled; 0: all as it is")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="coverage of the bootstrap intervals")
    resamples: int = Field(5000, ge=100, description="bootstrap resamples")
    seed: int = Field(2023, ge=0, le=MAX_SEED, description="bootstrap resampling")


class Study(Section):
    """One study: data, network, scoring, and how many of the folds are run."""

    name: str = Field("", description="the study file's own name, filled in when it is read")
    title: str = Field("A study", description="one line that names the study in the report")
    run_folds: int = Field(1, ge=1, description="1: one hold-out split; the number of folds: pooled cross-validation")
    data: DataConfig = DataConfig()
    train: TrainConfig = TrainConfig()
    evaluate: EvaluateConfig = EvaluateConfig()

    @model_validator(mode="after")
    def _fits(self):
        if self.run_folds > self.data.folds:
            raise ValueError(f"run_folds {self.run_folds} is more than data.folds {self.data.folds}")
        if self.train.input_size > self.data.image_size:
            raise ValueError(
                f"train.input_size {self.train.input_size} is larger than data.image_size {self.data.image_size}"
            )
        return self
