"""Say that kernels are compiled: the first fit takes longer than all that follow.

Messages go to the logger ``skgd`` and, with ``verbose``, to the standard output.
"""

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from types import SimpleNamespace

__all__ = ["announced", "begin", "end", "tell"]

_logger = logging.getLogger("skgd")


class _Announcement(SimpleNamespace):
    """What is compiled for whom, and when that began and ended."""


_current: ContextVar[_Announcement | None] = ContextVar("announcement", default=None)


def tell(message, verbose):
    """Log a message, and print it with ``verbose``."""
    _logger.info(message)
    if verbose:
        print(message, flush=True)


@contextmanager
def announced(what, verbose=False):
    """Announce kernels that are compiled within; say nothing if there are none.

    Parameters
    ----------
    what : str
        What they are for.

    verbose : bool or int, default=False
        Whether to print what is logged.
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
    """Announce the first kernel that is compiled.

    Parameters
    ----------
    is_kept : callable
        Returns whether the next process finds it on disk.
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
    """Note that a kernel is compiled; others may follow."""
    announcement = _current.get()
    if announcement is not None and announcement.began is not None:
        announcement.ended = perf_counter()
