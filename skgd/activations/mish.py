r"""Mish: z times tanh of softplus.

.. math:: f(z) = z \tanh(\log(1 + e^z)), \qquad f' = T + z (1 - T^2) \sigma(z)

with :math:`T = \tanh(\log(1 + e^z))` and the logistic function :math:`\sigma`.

References
----------
D. Misra (2020). "Mish: a self regularized non-monotonic activation function." BMVC,
arXiv:1908.08681.
"""

from skgd.engine import Activation, exp, mish

__all__ = ["Mish"]


class Mish(Activation):
    """The product of z and tanh of softplus.

    Examples
    --------
    >>> from skgd.activations import Mish
    >>> round(Mish().slope(0.0), 12)
    0.6
    """

    name = "mish"
    slope_of = "input"

    @staticmethod
    def value(z):
        """Return z tanh(log(1 + exp(z)))."""
        return mish(z)

    @staticmethod
    def slope(z):
        """Return T + z (1 - T²) p, from exp(-abs(z)), which does not overflow."""
        e = exp(-abs(z))
        # exp(z) times these three is exp(z) (exp(z) + 2), that plus 2, and 1 + exp(z).
        one, other = (e, 1.0) if z < 0.0 else (1.0, e)
        above = one * (one + 2.0 * other)
        below = above + 2.0 * other * other
        t = above / below
        p = one / (one + other)
        return t + z * (2.0 * other * other * (above + below) / (below * below)) * p
