r"""A constant learning rate.

.. math:: \eta = \eta_0
"""

import numpy as np

from skgd.schedules.warm import WarmSchedule

__all__ = ["Constant"]


class Constant(WarmSchedule):
    """A constant learning rate.

    Parameters
    ----------
    warmup_steps : int, default=0
        The number of updates in which the rate first rises linearly from 0.

    Examples
    --------
    >>> from skgd.schedules import Constant
    >>> Constant()
    Constant()
    """

    name = "constant"

    def after_warmup(self, progress):
        """Return ones."""
        return np.ones(progress.update.shape)
