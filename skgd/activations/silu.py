r"""The sigmoid linear unit, or swish.

.. math:: f(z) = z \sigma(z), \qquad f' = \sigma(z) + z \sigma(z) (1 - \sigma(z))

with the logistic function :math:`\sigma`.

References
----------
S. Elfwing, E. Uchibe, K. Doya (2018). "Sigmoid-weighted linear units for neural network
function approximation in reinforcement learning." Neural Networks 107, arXiv:1702.03118.
"""

from skgd.engine import Activation, logistic, silu

__all__ = ["SiLU"]


class SiLU(Activation):
    """The sigmoid linear unit, or swish: z times the logistic function.

    Examples
    --------
    >>> from skgd.activations import SiLU
    >>> SiLU().slope(0.0)
    0.5
    """

    name = "silu"
    slope_of = "input"

    @staticmethod
    def value(z):
        """Return z / (1 + exp(-z))."""
        return silu(z)

    @staticmethod
    def slope(z):
        """Return p + z p (1 - p), p the logistic function."""
        p = logistic(z)
        return p + z * (p - p * p)
