r"""Mish: z times the hyperbolic tangent of softplus.

.. math:: f(z) = z \tanh(\log(1 + e^z)), \qquad f' = T + z (1 - T^2) \sigma(z)

with :math:`T = \tanh(\log(1 + e^z))` and the logistic function :math:`\sigma`.

References
----------
D. Misra (2020). "Mish: a self regularized non-monotonic activation function." BMVC,
arXiv:1908.08681.
"""

from math import sqrt

from skgd.engine import Activation, mish

__all__ = ["Mish"]


class Mish(Activation):
    """Mish: z times the hyperbolic tangent of softplus.

    Examples
    --------
    >>> from skgd.activations import Mish
    >>> round(Mish().slope(0.0, 0.0), 12)
    0.6
    """

    name = "mish"
    slope_of = "both"

    @staticmethod
    def value(z):
        """Return z tanh(log(1 + exp(z)))."""
        return mish(z)

    @staticmethod
    def slope(z, a):
        """Return T + z (1 - T²) p, with T = a / z and p = 2 T / (1 + T + sqrt(1 - T²))."""
        t = a / z if abs(z) > 1e-30 else 0.6
        rest = (1.0 - t) * (1.0 + t)
        rest = rest if rest > 0.0 else 0.0
        return t + 2.0 * a * rest / (1.0 + t + sqrt(rest))
