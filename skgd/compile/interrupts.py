"""Ctrl-C while a kernel is compiled: it takes effect after the compilation.

LLVM calls back into Python, and an exception in such a callback is lost. An interrupt
between the creation and the disposal of an LLVM module crashes the process.
"""

import signal
from contextlib import contextmanager
from threading import current_thread, main_thread

__all__ = ["uninterrupted"]


class _Hold:
    """A signal handler that holds Ctrl-C back for another handler."""

    def __init__(self, handler):
        self.handler = handler
        self.is_pending = False

    def __call__(self, signum, frame):
        self.is_pending = True

    def release(self):
        """Call the other handler if Ctrl-C has arrived; it usually raises."""
        if self.is_pending:
            self.is_pending = False
            self.handler(signal.SIGINT, None)


@contextmanager
def uninterrupted():
    """Hold Ctrl-C back until the end of the block, or of a nested block."""
    before = signal.getsignal(signal.SIGINT)
    # Python runs signal handlers in the main thread. SIG_IGN and SIG_DFL, which are not
    # functions, raise nothing.
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
