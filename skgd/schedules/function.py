r"""A learning rate by a function.

.. math:: \eta = \eta_0 f(t, n)

with :math:`t` updates made and :math:`n` updates in the whole fit.
"""

from skgd.schedules.warm import WarmSchedule

__all__ = ["FunctionSchedule"]


class FunctionSchedule(WarmSchedule):
    """A learning rate by a function of the updates.

    ``learning_rate=f`` means ``learning_rate=FunctionSchedule(f)``.

    Parameters
    ----------
    function : callable
        Is called with ``update``, an array of the numbers of updates before each of the
        next ones, and ``n_updates``, the number of all updates of the fit, which is None
        in ``partial_fit``. It returns the factors of ``learning_rate_init``: an array of
        the shape of ``update``, or a number.

    warmup_steps : int, default=0
        Updates before, in which the rate rises linearly from 0. The function counts from
        their end.

    Examples
    --------
    >>> import numpy as np
    >>> from skgd import MLPRegressor
    >>> MLPRegressor(learning_rate=lambda update, n_updates: 1 - update / n_updates)
    MLPRegressor(learning_rate=<function <lambda> at 0x...>)
    """

    _parameter_constraints: dict = {
        "function": [callable],
        **WarmSchedule._parameter_constraints,
    }

    def __init__(self, function, warmup_steps=0) -> None:
        super().__init__(warmup_steps)
        self.function = function

    def after_warmup(self, progress):
        """Return what the function returns."""
        return self.function(progress.update, progress.n_updates)
