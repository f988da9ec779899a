r"""A learning rate that a function defines.

.. math:: \eta = \eta_0 f(t, n)

with :math:`t` updates made and :math:`n` updates in the whole fit.
"""

from skgd.schedules.warm import WarmSchedule

__all__ = ["FunctionSchedule"]


class FunctionSchedule(WarmSchedule):
    """A learning rate that a function of the number of updates defines.

    ``learning_rate=f`` means ``learning_rate=FunctionSchedule(f)``.

    Parameters
    ----------
    function : callable
        Called as ``function(update, n_updates)``. ``update`` is an array: for each of the
        next updates, the number of updates before it. ``n_updates`` is the number of all
        updates of the fit, or None in ``partial_fit``. The function returns the factors of
        ``learning_rate_init``: an array of the shape of ``update``, or a number.

    warmup_steps : int, default=0
        The number of updates in which the rate first rises linearly from 0. The ``update``
        of the function counts from their end.

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
        """Return the result of the function."""
        return self.function(progress.update, progress.n_updates)
