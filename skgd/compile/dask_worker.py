"""How a task on a Dask worker ends when the worker closes."""

import atexit
import gc
import os
import sys
from functools import cache

__all__ = ["raise_if_closing"]


def raise_if_closing():
    """Raise if this is a task of a Dask worker that is closing.

    A closing worker waits for its tasks. If they take too long, its nanny kills it.

    Raises
    ------
    RuntimeError
        If the worker is closing or closed.
    """
    get_worker = getattr(sys.modules.get("distributed"), "get_worker", None)
    if get_worker is None:
        return
    try:
        worker = get_worker()
    except ValueError:
        # This is not a task.
        return
    if worker.nanny:
        _exit_without_garbage_collection(os.getpid())
    if worker.status.name in ("closing", "closed", "failed"):
        raise RuntimeError("The Dask worker that this ran on has been closed.")


@cache
def _exit_without_garbage_collection(pid):
    """Have this process skip garbage collection when it exits.

    Python would collect several times, over the 350,000 objects of Numba. If the cores are
    busy, this takes more than the four seconds after which the nanny kills the worker.
    """
    atexit.register(gc.freeze)
