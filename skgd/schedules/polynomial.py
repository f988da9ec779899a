r"""A power of the part of the training that is left.

.. math:: \eta = \eta_0 \left( l + (1 - l) (1 - \tau)^p \right)

with the part :math:`\tau` of all updates made, the ``power`` :math:`p` and the ``lowest``
factor :math:`l`.
"""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.schedules.warm import TotalSchedule

__all__ = ["Polynomial"]


class Polynomial(TotalSchedule):
    """A power of the part of the training that is left; by default a straight line.

    Parameters
    ----------
    power : float, default=1.0
        The exponent.

    lowest : float, default=0.0
        The factor at the end.

    warmup_steps : int, default=0
        Updates before, in which the rate rises linearly from 0.

    total : int, default=None
        The number of all updates, for ``partial_fit``. ``fit`` knows it.

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
