r"""A power of the remaining part of the training.

.. math:: \eta = \eta_0 \left( l + (1 - l) (1 - \tau)^p \right)

with the finished part :math:`\tau` of all updates, the ``power`` :math:`p` and the
``lowest`` factor :math:`l`.
"""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.schedules.warm import TotalSchedule

__all__ = ["Polynomial"]


class Polynomial(TotalSchedule):
    """A power of the remaining part of the training; by default a straight line.

    Parameters
    ----------
    power : float, default=1.0
        The exponent.

    lowest : float, default=0.0
        The factor at the end.

    warmup_steps : int, default=0
        The number of updates in which the rate first rises linearly from 0.

    total : int, default=None
        The number of all updates. ``partial_fit`` needs it, ``fit`` does not.

    Examples
    --------
    >>> from skgd.schedules import Polynomial
    >>> Polynomial(power=2)
    Polynomial(power=2)
    """

    name = "polynomial"
    _parameter_constraints: dict = {
        "power": [Interval(Real, 0, None, closed="neither")],
        "lowest": [Interval(Real, 0, 1, closed="both")],
        **TotalSchedule._parameter_constraints,
    }

    def __init__(self, power=1.0, lowest=0.0, warmup_steps=0, total=None) -> None:
        super().__init__(warmup_steps, total)
        self.power = power
        self.lowest = lowest

    def at(self, part):
        """Return lowest + (1 - lowest) * (1 - part) ** power."""
        return self.lowest + (1.0 - self.lowest) * (1.0 - part) ** self.power
