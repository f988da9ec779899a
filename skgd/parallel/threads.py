"""Ordinary Python threads for compiled calls that release the GIL."""

import os
from contextlib import suppress
from contextvars import copy_context
from functools import cache
from threading import Event, Thread, get_native_id

from joblib.parallel import get_active_backend
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from threadpoolctl import ThreadpoolController

from skgd.compile.interrupts import mind_dask

__all__ = ["available_threads", "map_parts", "run_together"]


@cache
def _blas(pid):
    """Find the BLAS libraries of this process, whose limits stand for ours."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


def available_threads(n_jobs):
    """Return how many threads a fit may use.

    Parameters
    ----------
    n_jobs : int or None
        As for scikit-learn's estimators that use threads: -1 stands for all cores, and
        any number for 1 where joblib's loops are nested so deep that they run in turn.
        None follows the limits of OpenMP, threadpoolctl and joblib: within joblib's
        workers it is 1.

    Returns
    -------
    int
    """
    # That for threads: one for processes warns, and answers 1, in a process that may not
    # start any.
    backend, _ = get_active_backend(prefer="threads", require="sharedmem")
    if n_jobs is not None:
        return backend.effective_n_jobs(n_jobs)
    if getattr(backend, "nesting_level", 0):
        return 1
    blas = [library.get_num_threads() for library in _blas(os.getpid())]
    return max(1, min([_openmp_effective_n_threads(), *blas]))


def run_together(function, arguments, n_threads, interrupted=None):
    """Call ``function`` in several threads at the same time.

    The calls may wait for each other: none begins before every thread is there, and
    Ctrl-C takes effect when all of them are done. Where a thread cannot be started, as at
    the exit of the interpreter or at a container's limit, the calling thread makes the
    call for one thread.

    Parameters
    ----------
    function : callable
        Releases the GIL.

    arguments : callable
        Called with a number of threads, 1 or ``n_threads``; returns the tuple of arguments
        of each thread's call. The results together must not depend on the number.

    n_threads : int
        How many threads to use.

    interrupted : callable, default=None
        Called at once when Ctrl-C arrives while threads run, so that they can end early.

    Returns
    -------
    list
        What the calls returned, one for each thread that was used.

    Raises
    ------
    RuntimeError
        If this is a task of a Dask worker that is about to end.
    """
    mind_dask()
    if n_threads > 1:
        results = _in_threads(function, arguments(n_threads), interrupted)
        if results is not None:
            return results
    return [function(*args) for args in arguments(1)]


def _in_threads(function, arguments, interrupted):
    """Make the calls in a thread each; return None if a thread cannot be started."""
    go, canceled = Event(), Event()
    done, cores = [], _cores()
    # Those of different callers mostly begin elsewhere: they may train at the same time.
    first = get_native_id() * len(arguments)
    results, errors = [None] * len(arguments), []

    def work(index, args, ended):
        try:
            # Linux wakes threads beside the one that wakes them. Two that wait for each
            # other by offering their core it may leave there, to take turns on one.
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
        # Not even one call is the calling thread's, which a signal may keep from making
        # it: the others would wait forever.
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
    """Call ``function`` for each part of some work, on as many threads as are free.

    Parameters
    ----------
    function : callable
        Releases the GIL. Its result must not depend on the thread.

    parts : list
        What it is called with.

    Returns
    -------
    list
        What the calls returned, in the order of the parts.
    """
    most = min(len(parts), available_threads(None)) if len(parts) > 1 else 1
    results = [None] * len(parts)

    def work(first, step):
        for index in range(first, len(parts), step):
            results[index] = function(parts[index])

    run_together(work, lambda n: [(thread, n) for thread in range(n)], most)
    return results


def _cores():
    """Return the cores that this thread may use; nothing where that is not known."""
    try:
        return sorted(os.sched_getaffinity(0))
    except (AttributeError, NotImplementedError, OSError):
        return []


def _keep_to(cores):
    """Let this thread run on some cores only."""
    # Without, it is only slower; but the others wait for a thread that failed here.
    with suppress(Exception):
        os.sched_setaffinity(0, cores)


def _finish(go, done, errors, interrupted):
    """Start the calls and wait for all; an interrupt becomes one of the errors."""
    # Not for the threads to end: one whose join was interrupted passes for ended
    # (cpython issue 90882). A signal that comes on the way into a wait does not end it:
    # it is seen after a second.
    while not (go.is_set() and all(event.is_set() for event in done)):
        try:
            go.set()
            for event in done:
                event.wait(1.0)
        except KeyboardInterrupt as interrupt:
            errors.append(interrupt)
            if interrupted is not None:
                interrupted()
