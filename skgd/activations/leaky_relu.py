r"""The leaky rectified linear unit: z, or alpha z if z is negative.

.. math::

    f(z) = \max(z, 0) + \alpha \min(z, 0), \qquad
    f' = 1 \text{ if } f > 0 \text{ else } \alpha

References
----------
A. L. Maas, A. Y. Hannun, A. Y. Ng (2013). "Rectifier nonlinearities improve neural network
acoustic models." ICML.
"""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.engine import Activation

__all__ = ["LeakyReLU"]


class LeakyReLU(Activation):
    """The leaky rectified linear unit: z, or alpha z if z is negative.

    Parameters
    ----------
    alpha : float, default=0.01
        The slope for negative inputs.

    Examples
    --------
    >>> from skgd.activations import LeakyReLU
    >>> LeakyReLU(alpha=0.25).value(-2.0, 0.25)
    -0.5
    """

    name = "leaky_relu"
    _parameter_constraints: dict = {"alpha": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, alpha=0.01) -> None:
        self.alpha = alpha

    @staticmethod
    def value(z, alpha):
        """Return z, or alpha z if z is negative."""
        return alpha * z if z < 0.0 else z

    @staticmethod
    def slope(a, alpha):
        """Return 1, or alpha if the value is not positive."""
        return 1.0 if a > 0.0 else alpha
