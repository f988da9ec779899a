r"""The sigmoid linear unit, or swish.

.. math:: f(z) = z \sigma(z), \qquad f' = \sigma(z) + z \sigma(z) (1 - \sigma(z))

with the logistic function :math:`\sigma`.

References
----------
S. Elfwing, E. Uchibe, K. Doya (2018). "Sigmoid-weighted linear units for neural network
function approximation in reinforcement learning." Neural Networks 107, arXiv:1702.03118.
"""

from skgd.engine import Activation, silu

__all__ = ["SiLU"]


class SiLU(Activation):
    """The sigmoid linear unit, or swish: z times the logistic function.

    Examples
    --------
    >>> from skgd.activations import SiLU
    >>> SiLU().slope(0.0, 0.0)
    0.5
    """

    name = "silu"
    slope_of = "both"

    @staticmethod
    def value(z):
        """Return z / (1 + exp(-z))."""
        return silu(z)

    @staticmethod
    def slope(z, a):
        """Return p + a (1 - p), where p = a / z is the logistic function."""
        p = a / z if abs(z) > 1e-30 else 0.5
        return p + a * (1.0 - p)
