r"""scikit-learn's adaptive rate: a fifth of it whenever training stops improving.

.. math:: \eta_0 \leftarrow \eta_0 / 5

Training goes on until the rate has fallen to :math:`10^{-6}`.
"""

from skgd.schedules.constant import Constant

__all__ = ["Adaptive"]


class Adaptive(Constant):
    """A fifth of the rate whenever training stops improving, until it is 1e-6.

    Parameters
    ----------
    warmup_steps : int, default=0
        Updates before, in which the rate rises linearly from 0.

    Examples
    --------
    >>> from skgd.schedules import Adaptive
    >>> Adaptive().after_plateau(0.1)
    0.02
    """

    name = "adaptive"

    def after_plateau(self, rate):
        """Return a fifth of the rate, or None once it is 1e-6."""
        return rate / 5.0 if rate > 1e-6 else None
