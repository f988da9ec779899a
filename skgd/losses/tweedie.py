r"""Half the Tweedie deviance with a log link, summed over the outputs.

.. math::

    \ell(z, y) = \sum_k \left( \frac{\max(y_k, 0)^{2 - p}}{(1 - p)(2 - p)}
    - \frac{y_k \mu_k^{1 - p}}{1 - p} + \frac{\mu_k^{2 - p}}{2 - p} \right),
    \qquad \mu = e^z

It is half the squared error for :math:`p = 0`. For :math:`p = 1` and 2, it is the limit:
half the deviance of the Poisson and the gamma distribution.

References
----------
B. Jørgensen (1987). "Exponential dispersion models." Journal of the Royal Statistical
Society B 49, 127-162.
"""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.engine import Loss, exp, log

__all__ = ["Tweedie"]


class Tweedie(Loss):
    """Half the Tweedie deviance, with a log link.

    Parameters
    ----------
    power : float, default=1.5
        The variance is proportional to this power of the mean. It is at most 0 or at least
        1. A power of 1 is the Poisson distribution, 2 the gamma distribution. Between 1 and
        2, targets are positive numbers and zeros. From 2 on, targets must be positive.

    Examples
    --------
    >>> from skgd.losses import Tweedie
    >>> Tweedie(power=2).domain
    (0, inf, 'neither')
    """

    name = "tweedie"
    out_activation = "exp"
    _parameter_constraints = {
        "power": [
            Interval(Real, None, 0, closed="right"),
            Interval(Real, 1, None, closed="left"),
        ]
    }

    def __init__(self, power=1.5) -> None:
        self.power = power

    @property
    def domain(self) -> tuple[float, float, str]:  # type: ignore[override]
        """The interval of valid targets, which depends on the power."""
        infinity = float("inf")
        if self.power <= 0:
            return (-infinity, infinity, "neither")
        return (0, infinity, "left" if self.power < 2 else "neither")

    @staticmethod
    def value(z, y, power):
        """Return half the deviance."""
        if power == 1.0:
            return y * (log(y if y > 0.0 else 1.0) - z) - y + exp(z)
        if power == 2.0:
            return z - log(y) + y * exp(-z) - 1.0
        p, q = 1.0 - power, 2.0 - power
        size = abs(y) if power == 0.0 else y
        constant = exp(q * log(size)) / (p * q) if size > 0.0 else 0.0
        return constant - y * (exp(p * z) / p) + exp(q * z) / q

    @staticmethod
    def slope(z, y, power):
        """Return (mu - y) / mu ** (power - 1)."""
        return exp((2.0 - power) * z) - y * exp((1.0 - power) * z)

    @staticmethod
    def link(z, power):
        """Return exp(z)."""
        return exp(z)
