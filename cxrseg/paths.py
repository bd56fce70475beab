"""Locations of files. Every other module asks here, so that papermill, Jupyter and Snakemake agree.

Papermill runs a notebook in the caller's folder, Jupyter in the notebook's own. Only the search for the
checkout below may therefore depend on the working directory.
"""

from pathlib import Path

STAGES = ("01-data", "02-train", "03-evaluate", "04-compare")


def root() -> Path:
    """Return the checkout that contains the working directory, or else the one this package was installed from.

    Raises
    ------
    FileNotFoundError
        Neither is a checkout: the package was installed without its notebooks and studies.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[1]):
        if (folder / "Snakefile").is_file() and (folder / "studies").is_dir():
            return folder
    raise FileNotFoundError(
        f"no checkout of cxrseg at {here} or above it: this command needs the project's notebooks/ and studies/; "
        "clone the repository and run it from there"
    )


def study_file(name: str) -> Path:
    """Return ``studies/<name>.yml``, or `name` itself if it is the path of a YAML file."""
    given = Path(name)
    return given if given.suffix in {".yml", ".yaml"} else root() / "studies" / f"{name}.yml"


def notebook(stage: str) -> Path:
    """Return the source notebook of a stage, one of `STAGES`, or ``labs/<name>``, one of `labs`."""
    return root() / "notebooks" / f"{stage}.ipynb"


def labs() -> list[str]:
    """Return the names of the labs, the lessons that depend on no run."""
    return sorted(file.stem for file in (root() / "notebooks" / "labs").glob("*.ipynb"))


def runs() -> Path:
    """Return the folder that holds every run."""
    return root() / "runs"


def run(name: str) -> Path:
    """Return the folder of one run."""
    return runs() / name


def lab(name: str) -> Path:
    """Return a lab as it was executed."""
    return runs() / ".labs" / f"{name}.ipynb"


def data(name: str) -> Path:
    """Return the prepared dataset of a run: ``images.npy``, ``masks.npy``, ``cases.csv``, ``dataset.json``."""
    return run(name) / "data"


def fold(name: str, number: int) -> Path:
    """Return the folder of one trained fold: ``model.keras``, ``history.csv``, ``train.json``."""
    return run(name) / f"fold-{number}"


def external(name: str, dataset: str) -> Path:
    """Return the folder with a run's evaluation on another dataset; `dataset_name` gives the name."""
    return run(name) / "external" / dataset


def dataset_name(data: Path | str) -> str:
    """Return the name of an outside dataset: that of its folder, or of its archive without the suffix."""
    data = Path(data).resolve()
    return data.name if data.is_dir() else data.stem


def published() -> Path:
    """Return the committed numbers that the book quotes."""
    return root() / "book" / "published"


def cache() -> Path:
    """Return the per-user folder for downloaded archives."""
    import pooch

    return Path(pooch.os_cache("cxrseg"))
