"""The state of an estimator: restored after an error, and saved in pickles."""

import inspect
import pickle
import sys
from contextlib import contextmanager

from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from skgd._caller import warn
from skgd._version import __version__

__all__ = ["Versioned", "unchanged_by_errors"]


@contextmanager
def unchanged_by_errors(estimator):
    """Restore the attributes of an estimator if the block raises.

    Lists that have grown in place are cut to their previous length.
    """
    before = vars(estimator).copy()
    lengths = [(value, len(value)) for value in before.values() if type(value) is list]
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        for grown, length in lengths:
            del grown[length:]
        raise


# Modules that reduce objects as pickle does, but copy functions and classes themselves.
_COPY_CODE = {"cloudpickle", "copy", "dill"}


def _copies_code(frame):
    """Return whether the caller of ``__reduce_ex__`` copies functions and classes."""
    while frame.f_back is not None and frame.f_globals.get("__name__") == "pickle":
        frame = frame.f_back
    return not _COPY_CODE.isdisjoint(frame.f_globals.get("__name__", "").split("."))


def _may_hold_code(value):
    if isinstance(value, list | tuple):
        return any(map(_may_hold_code, value))
    return callable(value) or hasattr(value, "get_params")


class Versioned(BaseEstimator):
    """Warns if it is loaded from a pickle of another version.

    scikit-learn does this only for its own estimators.
    """

    def __reduce_ex__(self, protocol):
        # Pickle's own error would name neither the parameter nor a remedy.
        parameters = self.get_params(deep=False)
        code = {name: v for name, v in parameters.items() if _may_hold_code(v)}
        if code and not _copies_code(sys._getframe(1)):
            for name, value in code.items():
                try:
                    pickle.dumps(value, protocol)
                except Exception as error:
                    raise pickle.PicklingError(
                        f"{name}={value!r} of {type(self).__name__} cannot be pickled: "
                        f"{error}. Move its function or class to the top level of a module "
                        "that can be imported where the model is loaded."
                    ) from error
        return super().__reduce_ex__(protocol)

    def __getstate__(self):
        return {**super().__getstate__(), "_skgd_version": __version__}

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_skgd_version", "unknown")
        if version != __version__:
            warn(
                InconsistentVersionWarning(
                    estimator_name=f"{type(self).__name__} of skgd",
                    current_sklearn_version=__version__,
                    original_sklearn_version=version,
                )
            )
        # Pickles of an earlier version may lack newer parameters.
        parameters = inspect.signature(type(self)).parameters
        defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
        super().__setstate__(defaults | state)
