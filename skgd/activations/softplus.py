r"""Softplus, a smooth rectified linear unit.

.. math:: f(z) = \log(1 + e^z), \qquad f' = 1 - e^{-f}

References
----------
C. Dugas, Y. Bengio, F. Bélisle, C. Nadeau, R. Garcia (2001). "Incorporating second-order
functional knowledge for better option pricing." NeurIPS.
"""

from skgd.engine import Activation, expm1, softplus

__all__ = ["Softplus"]


class Softplus(Activation):
    """Softplus: log(1 + exp(z)), a smooth rectified linear unit.

    Examples
    --------
    >>> from skgd.activations import Softplus
    >>> Softplus().slope(float("inf"))
    1.0
    """

    name = "softplus"

    @staticmethod
    def value(z):
        """Return log(1 + exp(z))."""
        return softplus(z)

    @staticmethod
    def slope(a):
        """Return 1 - exp(-a)."""
        return -expm1(-a)
