r"""No activation: the network is linear.

.. math:: f(z) = z
"""

from skgd.engine import Activation, jit, one

__all__ = ["identity"]


@jit
def value(z):
    return z


@jit
def slope(a):
    return one(a)


identity = Activation("identity", value, slope, gain=6.0)
