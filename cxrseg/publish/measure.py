"""Make the result of one experiment whose runs are finished: ``python -m cxrseg.publish.measure NAME FOLDER``."""

import importlib.util
import sys
import time
from pathlib import Path

from cxrseg.publish import experiments, results, tables


def measure(name: str, data: Path) -> None:
    """Measure an experiment and write its result.

    Parameters
    ----------
    name : str
    data : Path
        Folder with the archives of the sets.

    Raises
    ------
    ValueError
        Something that it needs is missing, or its runs were computed in different ways.
    RuntimeError
        Code or data changed in the meantime. Nothing is written.
    """
    experiment = experiments.read(name, data)
    experiments.require(experiment)
    spec = importlib.util.spec_from_file_location(experiment.script.stem, experiment.script)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # processes that it starts find its functions by this name
    sys.path.insert(0, str(experiment.script.parent))
    spec.loader.exec_module(module)
    about, began = results.head(experiment), time.monotonic()
    if len(arithmetic := {tables.arithmetic(run.run) for run in experiment.every_run()}) > 1:
        raise ValueError(f"the runs of {name} were computed in {' and '.join(sorted(arithmetic))}: make them anew")
    measured = module.measure(experiment)
    content, cases = measured if isinstance(measured, tuple) else (measured, None)
    if results.inputs(experiment) != about["inputs"]:
        raise RuntimeError(f"code or data changed while {name} was measured: measure it again")
    results.write(about | {"seconds": round(time.monotonic() - began)}, content, cases)


if __name__ == "__main__":
    try:
        measure(sys.argv[1], Path(sys.argv[2]))
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        sys.exit(f"error: {'; '.join(str(error).splitlines())}")
