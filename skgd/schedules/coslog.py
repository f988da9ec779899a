r"""Waves of the cosine that grow longer and longer.

.. math::

    \eta = \eta_0 \frac{1 - \cos(2 \pi \log_2(1 + (2^c - 1) \tau))}{2}

with the part :math:`\tau` of all updates made and ``n_cycles`` :math:`c`.

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
    """Waves of the cosine from 0 to 1 and back, each about twice as long as the last.

    Parameters
    ----------
    n_cycles : int, default=4
        The number of waves, at most 50.

    warmup_steps : int, default=0
        Updates before, in which the rate is 0, as at the start of the first wave. The
        schedule is its own warm-up.

    total : int, default=None
        The number of all updates, for ``partial_fit``. ``fit`` knows it.

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
