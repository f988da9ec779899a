r"""Half a cosine wave, with restarts.

.. math:: \eta = \eta_0 \left( l + (1 - l) \frac{1 + \cos(\pi u)}{2} \right)

with the ``lowest`` factor :math:`l`, and :math:`u` the finished part of the current cycle.
Each of the ``n_cycles`` cycles is ``growth`` times as long as the one before. The last one
ends with the training.

References
----------
I. Loshchilov, F. Hutter (2017). "SGDR: stochastic gradient descent with warm restarts."
ICLR, arXiv:1608.03983.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skgd.schedules.warm import TotalSchedule

__all__ = ["Cosine"]


class Cosine(TotalSchedule):
    """Half a cosine wave over the training, or in each of several cycles.

    Parameters
    ----------
    n_cycles : int, default=1
        The number of half waves. The rate restarts with each of them.

    growth : float, default=1.0
        The length of each cycle, divided by the length of the cycle before it.

    lowest : float, default=0.0
        The factor at the end of each cycle.

    warmup_steps : int, default=0
        The number of updates in which the rate first rises linearly from 0.

    total : int, default=None
        The number of all updates. ``partial_fit`` needs it, ``fit`` does not.

    Examples
    --------
    >>> from skgd.schedules import Cosine
    >>> Cosine(n_cycles=3, growth=2.0)
    Cosine(growth=2.0, n_cycles=3)
    """

    name = "cosine"
    _parameter_constraints: dict = {
        "n_cycles": [Interval(Integral, 1, None, closed="left")],
        "growth": [Interval(Real, 0, None, closed="neither")],
        "lowest": [Interval(Real, 0, 1, closed="both")],
        **TotalSchedule._parameter_constraints,
    }

    def __init__(
        self, n_cycles=1, growth=1.0, lowest=0.0, warmup_steps=0, total=None
    ) -> None:
        super().__init__(warmup_steps, total)
        self.n_cycles = n_cycles
        self.growth = growth
        self.lowest = lowest

    def at(self, part):
        """Return lowest + (1 - lowest) * (1 + cos(pi * part of the cycle)) / 2."""
        ends = np.cumsum(float(self.growth) ** np.arange(self.n_cycles))
        bounds = np.append(0.0, ends) / ends[-1]
        cycle = np.searchsorted(bounds[1:-1], part, side="right")
        part = (part - bounds[cycle]) / (bounds[cycle + 1] - bounds[cycle])
        return self.lowest + (1.0 - self.lowest) * 0.5 * (1.0 + np.cos(np.pi * part))
