"""Ctrl-C while a kernel is compiled: it takes effect when that kernel is done.

LLVM calls back into Python, and what a callback raises is lost. An interrupt between the
making and the disposal of a module crashes the process.
"""

import signal
from contextlib import contextmanager
from threading import current_thread, main_thread

__all__ = ["uninterrupted"]


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
