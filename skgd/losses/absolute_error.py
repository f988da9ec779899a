r"""The absolute error, summed over the outputs.

.. math:: \ell(z, y) = \sum_k |z_k - y_k|

The conditional median minimizes it.
"""

from skgd.engine import Loss

__all__ = ["AbsoluteError"]


class AbsoluteError(Loss):
    """The absolute error, which predicts the median.

    Examples
    --------
    >>> from skgd.losses import AbsoluteError
    >>> AbsoluteError().value(3.0, 1.0)
    2.0
    """

    name = "absolute_error"

    @staticmethod
    def value(z, y):
        """Return the absolute value of z - y."""
        return abs(z - y)

    @staticmethod
    def slope(z, y):
        """Return the sign of z - y."""
        e = z - y
        # e is 0 or NaN.
        return 1.0 if e > 0.0 else (-1.0 if e < 0.0 else e)
