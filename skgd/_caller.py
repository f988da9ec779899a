"""Find the caller of an estimator, for warnings and for Ctrl-C."""

import sys
import warnings
from time import monotonic
from types import FrameType

__all__ = ["interrupts_caller", "warn"]

# Modules between the caller and a single estimator, or that an estimator calls.
TRANSPARENT = (
    "skgd",
    "contextlib",
    "joblib.numpy_pickle",
    "numba",
    "numpy",
    "pickle",
    "sklearn.base",
    "sklearn.compose._target",
    "sklearn.pipeline",
)

# Modules whose loops call estimators: each fit is one of many.
LOOPS = ("concurrent.futures", "joblib", "multiprocessing.pool", "sklearn")

# A second Ctrl-C within this many seconds of the first is passed on to the caller.
INSIST_SECONDS = 2.0

_last_interrupt = float("-inf")


def _is_in(frame, packages):
    """Return whether the frame runs code of one of the packages or modules."""
    name = frame.f_globals.get("__name__") or ""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def warn(message, category=UserWarning):
    """Warn, pointing to the line outside of skgd that called the estimator.

    Parameters
    ----------
    message : str or Warning
        The text, or the warning itself.

    category : type, default=UserWarning
        The class of the warning.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _is_in(frame, TRANSPARENT):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def interrupts_caller():
    """Return whether to raise the Ctrl-C that has just arrived again, for the caller.

    A fit that the user called stops at the first Ctrl-C and returns. If a loop of joblib or
    scikit-learn called it, such as a search, Ctrl-C is raised again to end the loop. A
    second Ctrl-C shortly after the first is always raised again.

    Returns
    -------
    bool
    """
    global _last_interrupt
    before, _last_interrupt = _last_interrupt, monotonic()
    if _last_interrupt - before < INSIST_SECONDS:
        return True
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if _is_in(frame, LOOPS) and not _is_in(frame, TRANSPARENT):
            return True
        frame = frame.f_back
    return False
