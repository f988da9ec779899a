"""The state of an estimator: after an error, in a pickle and back."""

import warnings
from contextlib import contextmanager

from sklearn.exceptions import InconsistentVersionWarning

from skgd._version import __version__

__all__ = ["Versioned", "unchanged_by_errors"]


@contextmanager
def unchanged_by_errors(estimator):
    """Give an estimator its attributes back if what follows raises.

    Lists that have grown are cut back.
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


class Versioned:
    """Tells another version's pickles apart; to stand before ``BaseEstimator``.

    scikit-learn does so for the estimators of its own.
    """

    def __getstate__(self):
        return {**super().__getstate__(), "_skgd_version": __version__}

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_skgd_version", "unknown")
        if version != __version__:
            warnings.warn(
                InconsistentVersionWarning(
                    estimator_name=f"{type(self).__name__} of skgd",
                    current_sklearn_version=__version__,
                    original_sklearn_version=version,
                ),
                stacklevel=2,
            )
        super().__setstate__(state)
