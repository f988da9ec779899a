"""Transformers that are fitted once for all candidates of a search."""

from copy import deepcopy
from threading import Lock
from types import SimpleNamespace

import joblib

__all__ = ["SharedFits"]


def _key(value):
    """Return a key, the same for equal unfitted estimators and for equal parameters."""
    if hasattr(value, "get_params") and not isinstance(value, type):
        # Including the attributes that set_output and similar methods set.
        return type(value), *((name, _key(v)) for name, v in sorted(vars(value).items()))
    if isinstance(value, list | tuple):
        return type(value), *map(_key, value)
    try:
        return joblib.hash(value)
    except Exception:
        # Clones share what cannot be pickled, such as a lambda.
        return id(value)


class SharedFits:
    """Fits of transformers to the rows of a fold, by their parameters.

    The key of a fit includes the keys of all steps before it, since a step of a Pipeline is
    fitted to their result.
    """

    def __init__(self):
        self._fits = {}
        # The key of each result, by the identity of its array.
        self._origins = {}

    def memory(self, used):
        """Return the ``memory`` of a Pipeline.

        Parameters
        ----------
        used : set
            Receives the keys of the fits that the Pipeline uses.
        """

        def cache(function, ignore=None):
            def fit_once(transformer, X, y, **others):
                origin = self._origins.get(id(X))
                key = origin, _key(transformer)
                fit = self._fits.setdefault(key, SimpleNamespace(lock=Lock(), result=None))
                used.add(key)
                with fit.lock:
                    if fit.result is None:
                        # A copy, since some transformers write to their input, which
                        # the next step of others, or a training score, reads.
                        fit.result = function(transformer, deepcopy(X), y, **others)
                        self._origins[id(fit.result[0])] = key
                return fit.result

            return fit_once

        return SimpleNamespace(cache=cache)

    def keep(self, used):
        """Keep only the fits with these keys."""
        self._fits = {key: fit for key, fit in self._fits.items() if key in used}
        self._origins = {i: key for i, key in self._origins.items() if key in used}
