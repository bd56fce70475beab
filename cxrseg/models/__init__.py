"""The registry of networks: from a name to weights, exported graph and model card.

A name is that of a run, or ``default``: the network that comes with the package. No other module knows where
that one lies.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from cxrseg import paths

DEFAULT = "default"
"""Name of the network that comes with the package."""


@dataclass(frozen=True)
class ModelCard:
    """What an exported network says of itself: the content of ``model.json``.

    Attributes
    ----------
    input_size : int
        Side of the network's input, pixels.
    structures : list of str
        What it segments, one output channel each.
    threshold : float
        Probability from which a pixel counts, 0 to 1.
    pieces : int
        How many of the largest pieces of the lungs are kept; 0: all.
    study, run : str
        Where it was trained.
    trained_on : str
        One sentence.
    dataset_fingerprint, commit : str
        Of the training.
    seed : int
    seconds : float
        Duration of the training.
    scores : dict
        ``cases``, ``dice``, ``ci95`` and ``worst`` on the run's own test part.
    agreement : dict
        ``dice``, the least between the masks of Keras and ONNX, and on how many ``cases``.
    sha256 : str
        Of the exported graph.
    """

    input_size: int
    structures: list[str]
    threshold: float
    pieces: int
    study: str
    run: str
    trained_on: str
    dataset_fingerprint: str
    commit: str
    seed: int
    seconds: float
    scores: dict
    agreement: dict
    sha256: str

    def describe(self) -> str:
        """Say in two lines what the network was trained on and how it scored."""
        low, high = self.scores["ci95"]
        return (
            f"{self.trained_on}\nMean Dice {self.scores['dice']:.3f} (95% interval {low:.3f} to {high:.3f}) on "
            f"{self.scores['cases']} test cases of study {self.study}. Not a medical device."
        )

    def to_dict(self) -> dict:
        """Return the content of ``model.json``."""
        return dataclasses.asdict(self)


def weights_file(name: str) -> Path:
    """Return the Keras model of a run's first fold, or of the default network."""
    return _shipped(".keras") if name == DEFAULT else paths.fold(name, 0) / "model.keras"


def graph_file(name: str) -> Path:
    """Return the ONNX graph of an exported run, or of the default network."""
    return _shipped(".onnx") if name == DEFAULT else paths.run(name) / "model.onnx"


def card_file(name: str) -> Path:
    """Return the model card that lies beside the graph."""
    return graph_file(name).with_suffix(".json")


def card(name: str = DEFAULT) -> ModelCard:
    """Return the model card of an exported run, or of the default network.

    Raises
    ------
    FileNotFoundError
        The run has not been exported, or this installation has no default network.
    ValueError
        The card was written by another version of cxrseg.
    """
    file = card_file(name)
    if not graph_file(name).is_file() or not file.is_file():
        raise FileNotFoundError(
            "this installation has no default model: choose a run with --run, exported by `cxrseg export`"
            if name == DEFAULT
            else f"run {name!r} has no exported network ({graph_file(name)} is missing): cxrseg export {name}"
        )
    try:
        return ModelCard(**json.loads(file.read_text()))
    except TypeError as error:
        raise ValueError(f"{file}: written by another version of cxrseg ({error}); export the run again") from error


def _shipped(suffix: str) -> Path:
    return Path(__file__).parent / f"default{suffix}"
