"""Runs compiled calls in several Python threads, and notices Ctrl-C while they run."""

import os
from contextlib import suppress
from contextvars import copy_context
from functools import cache
from threading import Event, Thread, get_native_id

from joblib.parallel import get_active_backend
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from threadpoolctl import ThreadpoolController

from skgd.compile.dask_worker import raise_if_closing

__all__ = ["available_threads", "map_parts", "run_together"]


@cache
def _blas(pid):
    """Find the BLAS libraries of this process, whose limits apply to skgd, too."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


def available_threads(n_jobs):
    """Return how many threads a fit may use.

    Parameters
    ----------
    n_jobs : int or None
        As for scikit-learn's estimators that use threads: -1 means all cores. In nested
        loops of joblib that run sequentially, any number means 1. None follows the limits
        of OpenMP, threadpoolctl and joblib: it means 1 in joblib's workers.

    Returns
    -------
    int
    """
    # The backend for threads. One for processes would warn and return 1 in a process that
    # may not start others.
    backend, _ = get_active_backend(prefer="threads", require="sharedmem")
    if n_jobs is not None:
        return backend.effective_n_jobs(n_jobs)
    if getattr(backend, "nesting_level", 0):
        return 1
    blas = [library.get_num_threads() for library in _blas(os.getpid())]
    return max(1, min([_openmp_effective_n_threads(), *blas]))


def run_together(function, arguments, n_threads, interrupted=None):
    """Call ``function`` in several threads at the same time.

    The calls may wait for each other: they begin when all threads have started. If Ctrl-C
    arrives, KeyboardInterrupt is raised when all calls have ended. If a thread cannot be
    started, as at the exit of the interpreter or because of a container's limit, the
    calling thread makes a single call.

    Parameters
    ----------
    function : callable
        The function, which releases the GIL.

    arguments : callable
        Called with a number of threads, 1 or ``n_threads``; returns a tuple of arguments
        for each thread. The combined results must not depend on the number.

    n_threads : int
        The number of threads.

    interrupted : callable, default=None
        Called when Ctrl-C arrives while threads run, so that the calls can end early.

    Returns
    -------
    list
        The result of each call.

    Raises
    ------
    RuntimeError
        If this is a task of a Dask worker that is closing.
    """
    raise_if_closing()
    if n_threads > 1:
        results = _in_threads(function, arguments(n_threads), interrupted)
        if results is not None:
            return results
    return [function(*args) for args in arguments(1)]


def _in_threads(function, arguments, interrupted):
    """Make each call in its own thread; return None if a thread cannot be started."""
    go, canceled = Event(), Event()
    done, cores = [], _cores()
    # Different callers, which may run at the same time, usually begin with different cores.
    first = get_native_id() * len(arguments)
    results, errors = [None] * len(arguments), []

    def work(index, args, ended):
        try:
            # Linux tends to wake threads on the core of the thread that wakes them. If two
            # of them wait for each other and yield, it may leave both on this core.
            if cores:
                _keep_to({cores[(first + index) % len(cores)]})
            go.wait()
            if cores:
                _keep_to(cores)
            if not canceled.is_set():
                results[index] = function(*args)
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    try:
        # The calling thread makes none of the calls: after a signal it might not make its
        # call, and the others would wait forever.
        for index, args in enumerate(arguments):
            ended = Event()
            run = copy_context().run
            Thread(target=run, args=(work, index, args, ended), daemon=True).start()
            done.append(ended)
    except RuntimeError:
        canceled.set()
    except BaseException:
        canceled.set()
        raise
    finally:
        _finish(go, done, errors, interrupted)
    if errors:
        raise errors[0]
    return None if canceled.is_set() else results


def map_parts(function, parts):
    """Call ``function`` for each part of a task, in several threads if they are available.

    Parameters
    ----------
    function : callable
        The function, which releases the GIL. Its result must not depend on the thread.

    parts : list
        The argument of each call.

    Returns
    -------
    list
        The result of each call, in the order of the parts.
    """
    most = min(len(parts), available_threads(None)) if len(parts) > 1 else 1
    results = [None] * len(parts)

    def work(first, step):
        for index in range(first, len(parts), step):
            results[index] = function(parts[index])

    run_together(work, lambda n: [(thread, n) for thread in range(n)], most)
    return results


def _cores():
    """Return the cores that this thread may use; an empty list if they are not known."""
    try:
        return sorted(os.sched_getaffinity(0))
    except (AttributeError, NotImplementedError, OSError):
        return []


def _keep_to(cores):
    """Restrict this thread to some cores."""
    # Ignore errors: they cost only time, but the others would wait for a failed thread.
    with suppress(Exception):
        os.sched_setaffinity(0, cores)


def _finish(go, done, errors, interrupted):
    """Start the calls and wait for all of them; add a Ctrl-C to the errors."""
    # This waits for events, since Python takes a thread for ended if its join was
    # interrupted (cpython issue 90882). The timeout is for a signal that arrives just
    # before a wait, and does not end it.
    while not (go.is_set() and all(event.is_set() for event in done)):
        try:
            go.set()
            for event in done:
                event.wait(1.0)
        except KeyboardInterrupt as interrupt:
            errors.append(interrupt)
            if interrupted is not None:
                interrupted()
