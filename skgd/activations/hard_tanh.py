r"""The identity, cut off at -1 and 1.

.. math:: f(z) = \max(-1, \min(z, 1)), \qquad f' = [-1 < f < 1]

References
----------
R. Collobert (2004). "Large scale machine learning." PhD thesis, Université Paris VI.
"""

from skgd.engine import Activation

__all__ = ["HardTanh"]


class HardTanh(Activation):
    """The identity, cut off at -1 and 1.

    Examples
    --------
    >>> from skgd.activations import HardTanh
    >>> HardTanh().value(-2.0)
    -1.0
    """

    name = "hard_tanh"

    @staticmethod
    def value(z):
        """Return z, limited to between -1 and 1; NaN stays NaN."""
        z = -1.0 if z < -1.0 else z
        return 1.0 if z > 1.0 else z

    @staticmethod
    def slope(a):
        """Return 1 if the value is between -1 and 1, otherwise 0."""
        return 1.0 if abs(a) < 1.0 else 0.0
