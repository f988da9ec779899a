r"""The scaled exponential linear unit, whose outputs keep mean 0 and variance 1.

.. math::

    f(z) = \lambda z \text{ if } z > 0 \text{ else } \lambda \alpha (e^z - 1), \qquad
    f' = \lambda \text{ if } f > 0 \text{ else } f + \lambda \alpha

with :math:`\lambda` = 1.0507 and :math:`\alpha` = 1.6733.

References
----------
G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter (2017). "Self-normalizing neural
networks." NeurIPS, arXiv:1706.02515.
"""

from skgd.engine import Activation, expm1

__all__ = ["SELU"]


class SELU(Activation):
    """The scaled exponential linear unit, whose outputs keep mean 0 and variance 1.

    Examples
    --------
    >>> from skgd.activations import SELU
    >>> SELU().value(2.0)
    2.1014...
    """

    name = "selu"

    @staticmethod
    def value(z):
        """Return 1.0507 z, or 1.7581 (exp(z) - 1) if z is negative."""
        return 1.7580993408473766 * expm1(z) if z < 0.0 else 1.0507009873554805 * z

    @staticmethod
    def slope(a):
        """Return 1.0507, or a + 1.7581 if the value is not positive."""
        return 1.0507009873554805 if a > 0.0 else a + 1.7580993408473766
