"""Map a function over tasks on all cores, in bounded memory."""

from collections.abc import Callable, Iterable, Iterator

import joblib


def starmap(function: Callable, tasks: Iterable[tuple], workers: int | None = None) -> Iterator:
    """Yield ``function(*task)`` for each task, in the order of the tasks, while later ones are computed.

    Parameters
    ----------
    function : callable
        Defined at the top level of a module, because processes receive it by pickling. The tasks must be picklable too.
    tasks : iterable of tuple
        Consumed only a little ahead of the results, so that memory stays bounded.
    workers : int, optional
        Number of processes; by default one for each core. With 1, this process does the work.
    """
    # One linear-algebra thread for each process: more threads would wait for each other on small products.
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        parallel = joblib.Parallel(workers or -1, return_as="generator", batch_size=8, pre_dispatch="4 * n_jobs")
        yield from parallel(joblib.delayed(function)(*task) for task in tasks)
