r"""Half the squared error, summed over the outputs.

.. math:: \ell(z, y) = \tfrac12 \sum_k (z_k - y_k)^2
"""

from skgd.engine import Loss

__all__ = ["SquaredError"]


class SquaredError(Loss):
    """Half the squared error.

    Examples
    --------
    >>> from skgd.losses import SquaredError
    >>> SquaredError().value(3.0, 1.0)
    2.0
    """

    name = "squared_error"

    @staticmethod
    def value(z, y):
        """Return (z - y)² / 2."""
        return 0.5 * ((z - y) * (z - y))

    @staticmethod
    def slope(z, y):
        """Return z - y."""
        return z - y
