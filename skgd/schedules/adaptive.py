r"""scikit-learn's adaptive rate: a fifth of it whenever training stops improving.

.. math:: \eta_0 \leftarrow \eta_0 / 5

Training goes on until the rate has fallen to :math:`10^{-6}`.
"""

from skgd.engine import Schedule
from skgd.schedules.constant import rate

__all__ = ["adaptive"]


def after_plateau(rate):
    return rate / 5.0 if rate > 1e-6 else None


adaptive = Schedule("adaptive", rate, after_plateau=after_plateau)
