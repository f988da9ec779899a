r"""A rate that is multiplied by a factor after each update.

.. math:: \eta = \eta_0 \gamma^t

with :math:`t` updates made.
"""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.schedules.warm import WarmSchedule

__all__ = ["Exponential"]


class Exponential(WarmSchedule):
    """Exponential decay: gamma ** t after t updates.

    Parameters
    ----------
    gamma : float, default=0.999
        The factor of the rate after each update, in (0, 1].

    warmup_steps : int, default=0
        The number of updates in which the rate first rises linearly from 0.

    Examples
    --------
    >>> from skgd.schedules import Exponential
    >>> Exponential(gamma=0.99)
    Exponential(gamma=0.99)
    """

    name = "exponential"
    _parameter_constraints: dict = {
        "gamma": [Interval(Real, 0, 1, closed="right")],
        **WarmSchedule._parameter_constraints,
    }

    def __init__(self, gamma=0.999, warmup_steps=0) -> None:
        super().__init__(warmup_steps)
        self.gamma = gamma

    def after_warmup(self, progress):
        """Return gamma ** t."""
        return float(self.gamma) ** progress.update
