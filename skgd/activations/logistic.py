r"""The logistic sigmoid.

.. math:: f(z) = \frac{1}{1 + e^{-z}}, \qquad f' = f (1 - f)
"""

from skgd.engine import Activation, jit
from skgd.engine import logistic as value

__all__ = ["logistic"]


@jit
def slope(a):
    return a - a * a


# Glorot and Bengio's bound for the logistic function, as in scikit-learn.
logistic = Activation("logistic", value, slope, gain=2.0)
