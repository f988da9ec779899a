"""Messages about the compilation of kernels, since the first fit takes longer.

They go to the logger ``skgd`` and, with ``verbose``, to the standard output.
"""

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from types import SimpleNamespace

__all__ = ["announced", "begin", "end", "tell"]

_logger = logging.getLogger("skgd")


class _Announcement(SimpleNamespace):
    """The purpose of some kernels, and when their compilation began and ended."""


_current: ContextVar[_Announcement | None] = ContextVar("announcement", default=None)


def tell(message, verbose):
    """Log a message, and print it with ``verbose``."""
    _logger.info(message)
    if verbose:
        print(message, flush=True)


@contextmanager
def announced(what, verbose=False):
    """Announce the kernels that are compiled in the block, if there are any.

    Parameters
    ----------
    what : str
        What the kernels are for.

    verbose : bool or int, default=False
        Whether to print the messages, too.
    """
    announcement = _Announcement(what=what, verbose=verbose, began=None, ended=None)
    token = _current.set(announcement)
    try:
        yield
    finally:
        _current.reset(token)
        if announcement.ended is not None:
            seconds = announcement.ended - announcement.began
            tell(f"skgd has compiled {what} in {seconds:.1f} s.", verbose)


def begin(is_kept):
    """Announce the compilation before its first kernel.

    Parameters
    ----------
    is_kept : callable
        Returns whether the compiled kernel will be saved on disk.
    """
    announcement = _current.get()
    if announcement is not None and announcement.began is None:
        announcement.began = perf_counter()
        often = "once per installation and dtype" if is_kept() else "in every process"
        tell(
            f"skgd compiles {announcement.what}, {often}. Compiling all for a first fit "
            "takes 10 to 30 s.",
            announcement.verbose,
        )


def end():
    """Note that a kernel has been compiled; others may follow."""
    announcement = _current.get()
    if announcement is not None and announcement.began is not None:
        announcement.ended = perf_counter()
