r"""One cycle: half a cosine wave up to the initial rate, and half a wave far down.

.. math::

    \eta = \eta_0 \left( l + (1 - l) \frac{1 \pm \cos(\pi u)}{2} \right)

with the finished part :math:`u` of the half wave. The first half wave takes the part
``pct_start`` of all updates (minus sign, :math:`l` = 1 / ``div_factor``). The second one
takes the rest (plus sign, :math:`l` = 1 / (``div_factor`` ``final_div_factor``)).

References
----------
L. N. Smith, N. Topin (2018). "Super-convergence: very fast training of neural networks
using large learning rates." arXiv:1708.07120.
"""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skgd.schedules.warm import TotalSchedule

__all__ = ["OneCycle"]


class OneCycle(TotalSchedule):
    """One cycle: up to the initial rate in a part of the training, then far down.

    Parameters
    ----------
    pct_start : float, default=0.3
        The part of the updates in which the rate rises, between 0 and 1.

    div_factor : float, default=25.0
        The initial rate divided by the first one.

    final_div_factor : float, default=1e4
        The first rate divided by the last one.

    warmup_steps : int, default=0
        The number of updates in which the rate first rises linearly from 0.

    total : int, default=None
        The number of all updates. ``partial_fit`` needs it, ``fit`` does not.

    Examples
    --------
    >>> from skgd.schedules import OneCycle
    >>> OneCycle(pct_start=0.2)
    OneCycle(pct_start=0.2)
    """

    name = "one_cycle"
    _parameter_constraints: dict = {
        "pct_start": [Interval(Real, 0, 1, closed="neither")],
        "div_factor": [Interval(Real, 1, None, closed="left")],
        "final_div_factor": [Interval(Real, 1, None, closed="left")],
        **TotalSchedule._parameter_constraints,
    }

    def __init__(
        self,
        pct_start=0.3,
        div_factor=25.0,
        final_div_factor=1e4,
        warmup_steps=0,
        total=None,
    ) -> None:
        super().__init__(warmup_steps, total)
        self.pct_start = pct_start
        self.div_factor = div_factor
        self.final_div_factor = final_div_factor

    def at(self, part):
        """Return the half wave up, then the half wave down."""
        rises = part < self.pct_start
        rest = (part - self.pct_start) / (1.0 - self.pct_start)
        # A wave falls from 1 at u = 0. The first one runs backwards.
        u = np.where(rises, 1.0 - part / self.pct_start, rest)
        lowest = np.where(rises, 1.0, 1.0 / self.final_div_factor) / self.div_factor
        return lowest + (1.0 - lowest) * 0.5 * (1.0 + np.cos(np.pi * u))
