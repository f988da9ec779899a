r"""scikit-learn's inverse scaling by the number of samples seen, after each epoch.

.. math:: \eta = \frac{\eta_0}{(n + 1)^p}

with :math:`n` samples in all finished epochs, and ``power_t`` :math:`p`.
"""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skgd.schedules.warm import WarmSchedule

__all__ = ["InverseScaling"]


class InverseScaling(WarmSchedule):
    """Inverse scaling: 1 / (n + 1) ** power_t, with n samples in the finished epochs.

    Parameters
    ----------
    power_t : float, default=0.5
        The exponent.

    warmup_steps : int, default=0
        The number of updates in which the rate first rises linearly from 0.

    Examples
    --------
    >>> from skgd.schedules import InverseScaling
    >>> InverseScaling(power_t=0.25)
    InverseScaling(power_t=0.25)
    """

    name = "invscaling"
    _parameter_constraints: dict = {
        "power_t": [Interval(Real, 0, None, closed="left")],
        **WarmSchedule._parameter_constraints,
    }

    def __init__(self, power_t=0.5, warmup_steps=0) -> None:
        super().__init__(warmup_steps)
        self.power_t = power_t

    def after_warmup(self, progress):
        """Return 1 / (n + 1) ** power_t."""
        # If the power overflows, its reciprocal is 0.
        with np.errstate(over="ignore"):
            return 1.0 / (progress.n_samples_seen + 1.0) ** self.power_t
