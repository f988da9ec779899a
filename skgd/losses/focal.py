r"""The focal loss of independent yes-or-no outputs: binary and multilabel classification.

.. math::

    \ell(z, y) = -\sum_k \left( y_k (1 - p_k)^\gamma \log p_k
    + (1 - y_k) p_k^\gamma \log(1 - p_k) \right), \qquad p = \frac{1}{1 + e^{-z}}

:math:`\gamma = 0` is the log loss. A larger :math:`\gamma` lowers the weight of rows that
are already classified well.

References
----------
T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár (2017). "Focal loss for dense object
detection." ICCV, arXiv:1708.02002.
"""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.engine import Loss, exp, log1p, logistic

__all__ = ["Focal"]


class Focal(Loss):
    """The log loss, with less weight on rows that are already classified well.

    For more than two classes, :class:`MultinomialFocal` replaces it.

    Parameters
    ----------
    gamma : float, default=2.0
        The exponent of the weight, whose base is one minus the probability of the true
        class.

    Examples
    --------
    >>> from skgd.losses import Focal
    >>> round(Focal.value(0.0, 1.0, gamma=2.0), 4)
    0.1733
    """

    name = "focal"
    out_activation = "logistic"
    domain = (0, 1, "both")
    _parameter_constraints = {"gamma": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, gamma=2.0) -> None:
        self.gamma = gamma

    # Below, a = -log(1 - p) and b = -log(p).

    @staticmethod
    def value(z, y, gamma):
        """Return the loss."""
        rest = log1p(exp(-abs(z)))
        a, b = (z if z > 0.0 else 0.0) + rest, (0.0 if z > 0.0 else -z) + rest
        return y * (exp(-gamma * a) * b) + (1.0 - y) * (exp(-gamma * b) * a)

    @staticmethod
    def slope(z, y, gamma):
        """Return the derivative of the loss."""
        rest = log1p(exp(-abs(z)))
        a, b = (z if z > 0.0 else 0.0) + rest, (0.0 if z > 0.0 else -z) + rest
        p, q = logistic(z), logistic(-z)
        no = (1.0 - y) * (exp(-gamma * b) * (gamma * q * a + p))
        return no - y * (exp(-gamma * a) * (gamma * p * b + q))

    @staticmethod
    def link(z, gamma):
        """Return the probability."""
        return logistic(z)
