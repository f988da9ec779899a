r"""scikit-learn's adaptive rate, which is divided by 5 whenever training stops improving.

.. math:: \eta_0 \leftarrow \eta_0 / 5

Training stops when the rate has fallen to :math:`10^{-6}`.
"""

from skgd.schedules.constant import Constant

__all__ = ["Adaptive"]


class Adaptive(Constant):
    """A rate that is divided by 5 whenever training stops improving, until it is 1e-6.

    Parameters
    ----------
    warmup_steps : int, default=0
        The number of updates in which the rate first rises linearly from 0.

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
