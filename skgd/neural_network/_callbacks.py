"""scikit-learn's callbacks (since version 1.9): a task for the fit and for each epoch."""

from copy import copy, deepcopy
from functools import cache, partial
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Replaces the class in older versions of scikit-learn. It has no methods."""


__all__ = ["Task", "Watched"]


class Task:
    """A part of a fit. The callbacks are called when it begins and when it ends.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        The place in the tree of tasks.

    estimator : BaseMLP
        The estimator that is fitted.

    data : dict of str to callable
        Functions that copy the data when a callback asks for them.
    """

    def __init__(self, context, estimator, data):
        self._context, self._estimator, self._data = context, estimator, data
        context.call_on_fit_task_begin(estimator=estimator, **data)

    def epoch(self):
        """Begin the task of an epoch."""
        return Task(self._context.subcontext("epoch"), self._estimator, self._data)

    def end(self, publish=None):
        """Call the callbacks at the end of the task.

        Parameters
        ----------
        publish : callable, default=None
            Sets the fitted attributes of an estimator, as if training ended here. None if
            the estimator has them already.

        Returns
        -------
        stop : bool
            Whether a callback asks to stop.
        """
        return self._context.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=partial(_fitted, self._estimator, publish),
            **self._data,
        )


class Watched(CallbackSupportMixin):
    """Supports callbacks of ``fit``."""

    solver: Any
    max_iter: int

    def _begin_task(self, X, y, sample_weight):
        """Begin the task of a fit; return None without callbacks."""
        # Private, but the only attribute of the callbacks that clones have, too.
        if not vars(self).get("_skl_callbacks"):
            return None
        n_epochs = 0 if self.solver == "lbfgs" else int(self.max_iter)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        given = {"X": X, "y": y, "metadata": metadata}
        data = {name: cache(partial(deepcopy, value)) for name, value in given.items()}
        return Task(self._init_callback_context(max_subtasks=n_epochs), self, data)


def _attributes(estimator):
    """Return copies of all attributes but the parameters and those of callbacks."""
    names = vars(estimator).keys() - estimator.get_params(deep=False).keys()
    return {n: deepcopy(vars(estimator)[n]) for n in names if "callback" not in n}


def _fitted(estimator, publish):
    """Return the fitted attributes, which share nothing with the training."""
    if publish is None:
        return _attributes(estimator)
    other = copy(estimator)
    vars(other).update(_attributes(other))
    publish(other)
    return _attributes(other)
