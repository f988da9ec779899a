r"""The initial rate for half of the training, then half a cosine wave.

.. math:: \eta = \eta_0 \frac{1 + \cos(\pi (\max(1, 2 \tau) - 1))}{2}

with the finished part :math:`\tau` of all updates.

References
----------
D. Holzmüller, L. Grinsztajn, I. Steinwart (2024). "Better by default: strong pre-tuned MLPs
and boosted trees on tabular data." NeurIPS, arXiv:2407.04491.
"""

import numpy as np

from skgd.schedules.warm import TotalSchedule

__all__ = ["FlatCos"]


class FlatCos(TotalSchedule):
    """The initial rate for half of the training, then half a cosine wave.

    Parameters
    ----------
    warmup_steps : int, default=0
        The number of updates in which the rate first rises linearly from 0.

    total : int, default=None
        The number of all updates. ``partial_fit`` needs it, ``fit`` does not.

    Examples
    --------
    >>> from skgd.schedules import FlatCos
    >>> FlatCos(warmup_steps=100)
    FlatCos(warmup_steps=100)
    """

    name = "flat_cos"

    def at(self, part):
        """Return (1 + cos(pi * (max(1, 2 * part) - 1))) / 2."""
        return 0.5 * (1.0 + np.cos(np.pi * (np.maximum(1.0, 2.0 * part) - 1.0)))
