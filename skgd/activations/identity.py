r"""No activation: the layer is linear.

.. math:: f(z) = z
"""

from skgd.engine import Activation

__all__ = ["Identity"]


class Identity(Activation):
    """No activation: the layer is linear.

    Examples
    --------
    >>> from skgd.activations import Identity
    >>> Identity().value(-2.0)
    -2.0
    """

    name = "identity"

    @staticmethod
    def value(z):
        """Return z."""
        return z

    @staticmethod
    def slope(a):
        """Return 1."""
        return 1.0
