r"""The rectified linear unit.

.. math:: f(z) = \max(z, 0), \qquad f' = [f > 0]
"""

from skgd.engine import Activation, jit, one, zero

__all__ = ["relu"]


@jit
def value(z):
    # Written so that a NaN stays one.
    return zero(z) if z < zero(z) else z


@jit
def slope(a):
    return zero(a) if a == zero(a) else one(a)


relu = Activation("relu", value, slope, gain=6.0)
