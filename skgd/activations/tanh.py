r"""The hyperbolic tangent.

.. math:: f(z) = \tanh(z), \qquad f' = 1 - f^2
"""

from skgd.engine import Activation, jit, one
from skgd.engine import tanh as value

__all__ = ["tanh"]


@jit
def slope(a):
    return one(a) - a * a


tanh = Activation("tanh", value, slope, gain=6.0)
