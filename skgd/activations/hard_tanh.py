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
        """Return z within -1 and 1; a NaN stays one."""
        z = -1.0 if z < -1.0 else z
        return 1.0 if z > 1.0 else z

    @staticmethod
    def slope(a):
        """Return whether the value is between -1 and 1."""
        return 1.0 if abs(a) < 1.0 else 0.0
