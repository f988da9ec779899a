r"""Cosine waves that become longer and longer.

.. math::

    \eta = \eta_0 \frac{1 - \cos(2 \pi \log_2(1 + (2^c - 1) \tau))}{2}

with the finished part :math:`\tau` of all updates, and ``n_cycles`` :math:`c`.

References
----------
D. Holzmüller, L. Grinsztajn, I. Steinwart (2024). "Better by default: strong pre-tuned MLPs
and boosted trees on tabular data." NeurIPS, arXiv:2407.04491.
"""

from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval

from skgd.schedules.warm import TotalSchedule

__all__ = ["CosLog"]


class CosLog(TotalSchedule):
    """Cosine waves from 0 to 1 and back, each about twice as long as the one before.

    Parameters
    ----------
    n_cycles : int, default=4
        The number of waves, at most 50.

    warmup_steps : int, default=0
        The number of updates before the first wave, in which the rate is 0. They are not
        needed, since the first wave starts at 0.

    total : int, default=None
        The number of all updates. ``partial_fit`` needs it, ``fit`` does not.

    Examples
    --------
    >>> from skgd.schedules import CosLog
    >>> CosLog(n_cycles=3)
    CosLog(n_cycles=3)
    """

    name = "coslog"
    _parameter_constraints: dict = {
        "n_cycles": [Interval(Integral, 1, 50, closed="both")],
        **TotalSchedule._parameter_constraints,
    }

    def __init__(self, n_cycles=4, warmup_steps=0, total=None) -> None:
        super().__init__(warmup_steps, total)
        self.n_cycles = n_cycles

    def at(self, part):
        """Return the waves."""
        waves = np.log2(1.0 + (2.0**self.n_cycles - 1.0) * part)
        return 0.5 * (1.0 - np.cos(2.0 * np.pi * waves))
