r"""RMSProp: each parameter's step divided by the recent size of its gradient.

.. math::

    s &\leftarrow \rho s + (1 - \rho) g^2, \qquad s_0 = 0 \\
    \theta &\leftarrow \theta - \eta \frac{g}{\sqrt{s} + \epsilon}

With :math:`\epsilon` outside the root, as in PyTorch.

References
----------
T. Tieleman, G. Hinton (2012). "Lecture 6.5, rmsprop: divide the gradient by a running
average of its recent magnitude." Neural Networks for Machine Learning, Coursera.
"""

import math
from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.engine import Solver

__all__ = ["RMSProp"]


class RMSProp(Solver):
    """Steps divided by the recent size of the gradient.

    Parameters
    ----------
    rho : float, default=0.9
        What the moving average of the squared gradient keeps, in [0, 1).

    epsilon : float, default=1e-8
        Added to the denominator.

    Examples
    --------
    >>> from skgd.solvers import RMSProp
    >>> RMSProp(rho=0.95)
    RMSProp(rho=0.95)
    """

    name = "rmsprop"
    n_slots = 1
    _parameter_constraints: dict = {
        "rho": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, rho=0.9, epsilon=1e-8) -> None:
        self.rho = rho
        self.epsilon = epsilon

    def coefficients(self, rate, t):
        """Return the rate, and the weights of the average."""
        return rate, self.rho, 1 - self.rho, self.epsilon

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new parameter and its new mean square."""
        eta, rho, rest, epsilon = coefficients
        (s,) = state
        s = rho * s + rest * (g * g)
        return theta - eta * g / (math.sqrt(s) + epsilon), (s,)
