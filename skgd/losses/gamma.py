r"""Half the gamma deviance with a log link, summed over the outputs.

.. math::

    \ell(z, y) = \sum_k \left( \log \frac{\mu_k}{y_k} + \frac{y_k}{\mu_k} - 1 \right),
    \qquad \mu = e^z
"""

from skgd.engine import Loss, exp, log

__all__ = ["Gamma"]


class Gamma(Loss):
    """Half the gamma deviance, with a log link.

    Examples
    --------
    >>> from skgd.losses import Gamma
    >>> Gamma().slope(0.0, 3.0)
    -2.0
    """

    name = "gamma"
    out_activation = "exp"
    domain = (0, float("inf"), "neither")

    @staticmethod
    def value(z, y):
        """Return z - log(y) + y exp(-z) - 1."""
        return z - log(y) + y * exp(-z) - 1.0

    @staticmethod
    def slope(z, y):
        """Return 1 - y exp(-z)."""
        return 1.0 - y * exp(-z)

    @staticmethod
    def link(z):
        """Return exp(z)."""
        return exp(z)
