r"""The hyperbolic tangent.

.. math:: f(z) = \tanh(z), \qquad f' = 1 - f^2
"""

from skgd.engine import Activation, tanh

__all__ = ["Tanh"]


class Tanh(Activation):
    """The hyperbolic tangent.

    Examples
    --------
    >>> from skgd.activations import Tanh
    >>> Tanh().slope(0.5)
    0.75
    """

    name = "tanh"

    @staticmethod
    def value(z):
        """Return tanh(z)."""
        return tanh(z)

    @staticmethod
    def slope(a):
        """Return 1 - a²."""
        return 1.0 - a * a
