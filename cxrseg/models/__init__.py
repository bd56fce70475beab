"""Registry of networks: map a name to weights, exported graph and model card.

A name is either the name of a run or ``default``, the network that comes with the package. Only this module
knows where the default network is stored.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from cxrseg import paths
from cxrseg.files import read_json

LUNGS = ("right_lung", "left_lung")
"""Structures whose union is ``"lungs"``. Right and left are the patient's."""

DEFAULT = "default"
"""Name of the network that comes with the package."""


@dataclass(frozen=True)
class ModelCard:
    """Model card of an exported network, stored as ``model.json``.

    Attributes
    ----------
    input_size : int
        Side of the network's input in pixels.
    structures : list of str
        Segmented structures. `outputs` tells which of them the output channels are.
    threshold : float
        Lowest probability, 0 to 1, at which a pixel belongs to a structure.
    pieces : int
        Number of largest connected components of the lungs to keep; 0 keeps all.
    study, run : str
        Study and run in which the network was trained.
    trained_on : str
        Description of the training data in one sentence.
    dataset_fingerprint, commit : str
        Fingerprint of the training dataset, and the commit of the training code.
    seed : int
    seconds : float
        Duration of the training.
    scores : dict
        ``cases``, ``dice``, its interval ``ci95``, the coverage ``confidence`` of that interval (0.95 if it is missing)
        and ``worst``, on the run's own test cases.
    confidence : float
        Confidence, 0 to 1, that the network reaches or exceeds in nine of ten of its own test cases, see
        `cxrseg.segment.orientation.confidence`.
    agreement : dict
        ``dice``, the lowest Dice between a Keras mask and an ONNX mask, and ``cases``, the number of cases compared.
    sha256 : str
        Digest of the exported graph.
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
    confidence: float
    agreement: dict
    sha256: str

    def describe(self) -> str:
        """Describe the training data and the scores of the network in two lines."""
        low, high = self.scores["ci95"]
        coverage = f"{100 * self.scores.get('confidence', 0.95):.4g}%"
        return (
            f"{self.trained_on}\nMean Dice {self.scores['dice']:.3f} ({coverage} interval {low:.3f} to {high:.3f}) on "
            f"{self.scores['cases']} test cases of study {self.study}. Not a medical device."
        )

    def to_dict(self) -> dict:
        """Return the content of ``model.json``."""
        return dataclasses.asdict(self)


def weights_file(name: str) -> Path:
    """Return the path of the Keras model of a run's first fold, or of the default network."""
    return _shipped(".keras") if name == DEFAULT else paths.fold(name, 0) / "model.keras"


def load(file: Path):
    """Return the Keras model of a file, which is not compiled.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is not a network that Keras can read.
    """
    import keras  # takes seconds, and an exported network does not need it

    if not Path(file).is_file():
        raise FileNotFoundError(f"{file}: there is no such network")
    try:
        return keras.saving.load_model(file, compile=False)
    except MemoryError:
        raise
    except Exception as error:  # of Keras, of ZIP or of HDF5
        first = str(error).strip().partition("\n")[0]
        raise ValueError(f"{file}: cannot be read ({first}); if it is damaged, remove it and make it again") from None


def graph_file(name: str) -> Path:
    """Return the path of the ONNX graph of an exported run, or of the default network."""
    return _shipped(".onnx") if name == DEFAULT else paths.run(name) / "model.onnx"


def card_file(name: str) -> Path:
    """Return the path of the model card, which is stored beside the graph."""
    return graph_file(name).with_suffix(".json")


def card(name: str = DEFAULT) -> ModelCard:
    """Return the model card of an exported run, or of the default network.

    Raises
    ------
    FileNotFoundError
        The run has not been exported, or this installation has no default network.
    ValueError
        Another version of cxrseg wrote the card.
    """
    file = card_file(name)
    if not graph_file(name).is_file() or not file.is_file():
        raise FileNotFoundError(
            "this installation has no default model: choose a run with --run, exported by `cxrseg export`"
            if name == DEFAULT
            else f"run {name!r} has no exported network ({graph_file(name)} is missing): cxrseg export {name}"
        )
    try:
        return ModelCard(**read_json(file))
    except TypeError as error:
        raise ValueError(f"{file}: written by another version of cxrseg ({error}); export the run again") from error


def about_default() -> str:
    """Return the description of the default model, or why there is none."""
    try:
        return "The default model: " + card().describe()
    except FileNotFoundError as error:
        return str(error)


def _shipped(suffix: str) -> Path:
    return Path(__file__).parent / f"default{suffix}"


def outputs(structures: list[str]) -> list[str]:
    """Return the structures that a network predicts: not lungs before both sides, whose union they are.

    Examples
    --------
    >>> outputs(["lungs", "right_lung", "left_lung", "heart"])
    ['right_lung', 'left_lung', 'heart']
    """
    return structures[1:] if structures[0] == "lungs" and set(LUNGS) <= set(structures) else structures
