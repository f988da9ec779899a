r"""Half the Poisson deviance with a log link, summed over the outputs.

.. math::

    \ell(z, y) = \sum_k \left( y_k \log \frac{y_k}{\mu_k} - y_k + \mu_k \right),
    \qquad \mu = e^z
"""

from skgd.engine import Loss, exp, log

__all__ = ["Poisson"]


class Poisson(Loss):
    """Half the Poisson deviance, with a log link.

    Examples
    --------
    >>> from skgd.losses import Poisson
    >>> Poisson().slope(0.0, 3.0)
    -2.0
    """

    name = "poisson"
    out_activation = "exp"
    domain = (0, float("inf"), "left")

    @staticmethod
    def value(z, y):
        """Return y (log(y) - z) - y + exp(z); y log(y) is 0 at y = 0."""
        return y * (log(y if y > 0.0 else 1.0) - z) - y + exp(z)

    @staticmethod
    def slope(z, y):
        """Return exp(z) - y."""
        return exp(z) - y

    @staticmethod
    def link(z):
        """Return exp(z)."""
        return exp(z)
