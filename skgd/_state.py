"""The state of an estimator: after an error, in a pickle and back."""

import warnings
from contextlib import contextmanager

from sklearn.exceptions import InconsistentVersionWarning

from skgd._version import __version__

__all__ = ["Versioned", "unchanged_by_errors"]


@contextmanager
def unchanged_by_errors(estimator):
    """Give an estimator its attributes back if what follows raises."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
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
