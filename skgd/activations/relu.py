r"""The rectified linear unit.

.. math:: f(z) = \max(z, 0), \qquad f' = [f > 0]
"""

from skgd.engine import Activation

__all__ = ["ReLU"]


class ReLU(Activation):
    """The rectified linear unit.

    Examples
    --------
    >>> from skgd.activations import ReLU
    >>> ReLU().value(-2.0)
    0.0
    """

    name = "relu"

    @staticmethod
    def value(z):
        """Return max(z, 0); NaN stays NaN."""
        return 0.0 if z < 0.0 else z

    @staticmethod
    def slope(a):
        """Return 1 if the value is positive, 0 if it is 0."""
        return 0.0 if a == 0.0 else 1.0
