r"""The Gaussian error linear unit, exact.

.. math::

    f(z) = z \Phi(z) = \frac{z}{2} (1 + \operatorname{erf}(z / \sqrt 2)), \qquad
    f' = \Phi(z) + z \varphi(z)

with the distribution function :math:`\Phi` and the density :math:`\varphi` of the standard
normal distribution.

References
----------
D. Hendrycks, K. Gimpel (2016). "Gaussian error linear units (GELUs)." arXiv:1606.08415.
"""

from skgd.engine import Activation, exp, gelu

__all__ = ["GELU"]


class GELU(Activation):
    """The Gaussian error linear unit: z times the standard normal distribution function.

    Examples
    --------
    >>> from skgd.activations import GELU
    >>> GELU().slope(0.0, 0.0)
    0.5
    """

    name = "gelu"
    slope_of = "both"

    @staticmethod
    def value(z):
        """Return z times the standard normal distribution function of z."""
        return gelu(z)

    @staticmethod
    def slope(z, a):
        """Return the distribution function, a / z, plus z times the density."""
        probability = a / z if abs(z) > 1e-30 else 0.5
        return probability + 0.3989422804014327 * z * exp(-0.5 * (z * z))
