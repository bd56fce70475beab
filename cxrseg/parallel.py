"""Spread work over the cores: one process each, results in order, memory bounded."""

from collections.abc import Callable, Iterable, Iterator

import joblib


def starmap(function: Callable, tasks: Iterable[tuple], workers: int | None = None) -> Iterator:
    """Yield ``function(*task)`` for each task, in order, while later ones are being worked on.

    Parameters
    ----------
    function : callable
        Defined at the top of a module; so are the tasks' parts picklable.
    tasks : iterable of tuple
        Read only a little ahead of the results.
    workers : int, optional
        Processes; as many as there are cores by default, 1: this process.
    """
    # One thread of linear algebra each: more would wait for one another on every small product.
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        parallel = joblib.Parallel(workers or -1, return_as="generator", batch_size=8, pre_dispatch="4 * n_jobs")
        yield from parallel(joblib.delayed(function)(*task) for task in tasks)
