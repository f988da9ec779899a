r"""Inverse time decay.

.. math:: \eta = \frac{\eta_0}{1 + k \lfloor t / T \rfloor}

with the ``decay_rate`` :math:`k`, the ``decay_steps`` :math:`T` and :math:`t` updates
made. ``staircase=False`` drops the floor.

References
----------
H. Robbins, S. Monro (1951). "A stochastic approximation method."
The Annals of Mathematical Statistics 22(3).
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skgd.schedules.warm import WarmSchedule

__all__ = ["InverseTime"]


class InverseTime(WarmSchedule):
    """Inverse time decay: 1 / (1 + decay_rate * floor(t / decay_steps)) after t updates.

    Parameters
    ----------
    decay_rate : float, default=1.0
        The increase of the divisor in each period.

    decay_steps : int, default=1000
        The number of updates in a period.

    staircase : bool, default=True
        Whether the rate falls once per period. Otherwise, it falls with each update.

    warmup_steps : int, default=0
        The number of updates in which the rate first rises linearly from 0.

    Examples
    --------
    >>> from skgd.schedules import InverseTime
    >>> InverseTime(decay_steps=100)
    InverseTime(decay_steps=100)
    """

    name = "inverse_time"
    _parameter_constraints: dict = {
        "decay_rate": [Interval(Real, 0, None, closed="left")],
        "decay_steps": [Interval(Integral, 1, None, closed="left")],
        "staircase": ["boolean"],
        **WarmSchedule._parameter_constraints,
    }

    def __init__(
        self, decay_rate=1.0, decay_steps=1000, staircase=True, warmup_steps=0
    ) -> None:
        super().__init__(warmup_steps)
        self.decay_rate = decay_rate
        self.decay_steps = decay_steps
        self.staircase = staircase

    def after_warmup(self, progress):
        """Return 1 / (1 + decay_rate * periods)."""
        periods = progress.update / self.decay_steps
        if self.staircase:
            periods = np.floor(periods)
        return 1.0 / (1.0 + self.decay_rate * periods)
