r"""The learning rate stays what it was.

.. math:: \eta = \eta_0
"""

import numpy as np

from skgd.engine import Schedule

__all__ = ["Constant"]


class Constant(Schedule):
    """A learning rate that stays what it was.

    Examples
    --------
    >>> from skgd.schedules import Constant
    >>> Constant()
    Constant()
    """

    name = "constant"

    def __call__(self, progress):
        """Return ones."""
        return np.ones(progress.update.shape)
