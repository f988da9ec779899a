"""What ends a fit early: Ctrl-C, and the end of a Dask worker.

Ctrl-C while a kernel is compiled takes effect when that kernel is done. LLVM calls back
into Python, and what a callback raises is lost. An interrupt between the making and the
disposal of a module crashes the process.
"""

import atexit
import gc
import os
import signal
import sys
from contextlib import contextmanager
from functools import cache
from threading import current_thread, main_thread

__all__ = ["mind_dask", "uninterrupted"]


class _Hold:
    """A handler of Ctrl-C that keeps it for the handler before."""

    def __init__(self, handler):
        self.handler = handler
        self.came = False

    def __call__(self, signum, frame):
        self.came = True

    def release(self):
        """Hand over what has come; the handler mostly raises KeyboardInterrupt."""
        if self.came:
            self.came = False
            self.handler(signal.SIGINT, None)


@contextmanager
def uninterrupted():
    """Hold Ctrl-C back to the end of the block, or to that of a block within."""
    before = signal.getsignal(signal.SIGINT)
    # Python's handlers run in the main thread. One that is no function raises nothing.
    if not callable(before) or current_thread() is not main_thread():
        yield
        return
    hold = before if isinstance(before, _Hold) else _Hold(before)
    signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        hold.release()


def mind_dask():
    """On a Dask worker that closes, raise: it would wait for its tasks, and be killed."""
    get_worker = getattr(sys.modules.get("distributed"), "get_worker", None)
    if get_worker is None:
        return
    try:
        worker = get_worker()
    except ValueError:
        # This is no task.
        return
    if worker.nanny:
        _end_soon(os.getpid())
    if worker.status.name in ("closing", "closed", "failed"):
        raise RuntimeError("The Dask worker that this ran on has been closed.")


@cache
def _end_soon(pid):
    """Have the process of a worker end without looking for garbage.

    Python does several times, among the 350,000 objects of Numba: if the cores are busy,
    for more than the four seconds after which a worker is killed.
    """
    atexit.register(gc.freeze)
