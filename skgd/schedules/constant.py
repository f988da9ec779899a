r"""The learning rate stays what it was.

.. math:: \eta = \eta_0
"""

import numpy as np

from skgd.schedules.warm import WarmSchedule

__all__ = ["Constant"]


class Constant(WarmSchedule):
    """A learning rate that stays what it was.

    Parameters
    ----------
    warmup_steps : int, default=0
        Updates before, in which the rate rises linearly from 0.

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
