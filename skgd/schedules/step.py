r"""A rate that is multiplied by a factor after each period.

.. math:: \eta = \eta_0 \gamma^{\lfloor t / T \rfloor}

with the ``step_size`` :math:`T` and :math:`t` updates made.
"""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval

from skgd.schedules.warm import WarmSchedule

__all__ = ["StepDecay"]


class StepDecay(WarmSchedule):
    """Step decay: gamma ** floor(t / step_size) after t updates.

    Parameters
    ----------
    step_size : int, default=1000
        The number of updates in a period.

    gamma : float, default=0.1
        The factor of the rate after each period, in (0, 1].

    warmup_steps : int, default=0
        The number of updates in which the rate first rises linearly from 0.

    Examples
    --------
    >>> from skgd.schedules import StepDecay
    >>> StepDecay(step_size=500)
    StepDecay(step_size=500)
    """

    name = "step"
    _parameter_constraints: dict = {
        "step_size": [Interval(Integral, 1, None, closed="left")],
        "gamma": [Interval(Real, 0, 1, closed="right")],
        **WarmSchedule._parameter_constraints,
    }

    def __init__(self, step_size=1000, gamma=0.1, warmup_steps=0) -> None:
        super().__init__(warmup_steps)
        self.step_size = step_size
        self.gamma = gamma

    def after_warmup(self, progress):
        """Return gamma ** periods."""
        return float(self.gamma) ** (progress.update // self.step_size)
