r"""The logistic sigmoid.

.. math:: f(z) = \frac{1}{1 + e^{-z}}, \qquad f' = f (1 - f)
"""

from skgd.engine import Activation, logistic

__all__ = ["Logistic"]


class Logistic(Activation):
    """The logistic sigmoid.

    Examples
    --------
    >>> from skgd.activations import Logistic
    >>> Logistic().slope(0.5)
    0.25
    """

    name = "logistic"
    # Glorot and Bengio's bound for the logistic function, as in scikit-learn.
    gain = 2.0

    @staticmethod
    def value(z):
        """Return 1 / (1 + exp(-z))."""
        return logistic(z)

    @staticmethod
    def slope(a):
        """Return a (1 - a)."""
        return a - a * a
