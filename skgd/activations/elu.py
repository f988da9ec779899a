r"""The exponential linear unit.

.. math::

    f(z) = z \text{ if } z > 0 \text{ else } \alpha (e^z - 1), \qquad
    f' = 1 \text{ if } f > 0 \text{ else } f + \alpha

References
----------
D.-A. Clevert, T. Unterthiner, S. Hochreiter (2016). "Fast and accurate deep network
learning by exponential linear units (ELUs)." ICLR, arXiv:1511.07289.
"""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.engine import Activation, expm1

__all__ = ["ELU"]


class ELU(Activation):
    """The exponential linear unit: z, or alpha (exp(z) - 1) if z is negative.

    Parameters
    ----------
    alpha : float, default=1.0
        The lower bound of the values is -alpha.

    Examples
    --------
    >>> from skgd.activations import ELU
    >>> ELU().slope(-0.75, 1.0)
    0.25
    """

    name = "elu"
    _parameter_constraints: dict = {"alpha": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, alpha=1.0) -> None:
        self.alpha = alpha

    @staticmethod
    def value(z, alpha):
        """Return z, or alpha (exp(z) - 1) if z is negative."""
        return alpha * expm1(z) if z < 0.0 else z

    @staticmethod
    def slope(a, alpha):
        """Return 1, or a + alpha if the value is not positive."""
        return 1.0 if a > 0.0 else a + alpha
