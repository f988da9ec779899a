r"""AdaGrad: steps divided by the root of the sum of all squared gradients.

.. math::

    s &\leftarrow s + g^2, \qquad s_0 = 0 \\
    \theta &\leftarrow \theta - \eta \frac{g}{\sqrt{s} + \epsilon}

As in PyTorch. Its ``lr_decay`` corresponds to ``learning_rate='inverse_time'``.

References
----------
J. Duchi, E. Hazan, Y. Singer (2011). "Adaptive subgradient methods for online learning and
stochastic optimization." JMLR 12.
"""

import math
from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.engine import Solver

__all__ = ["AdaGrad"]


class AdaGrad(Solver):
    """Divides steps by the root of the sum of all squared gradients.

    Parameters
    ----------
    epsilon : float, default=1e-8
        Added to the denominator.

    Examples
    --------
    >>> from skgd.solvers import AdaGrad
    >>> AdaGrad(epsilon=1e-6)
    AdaGrad(epsilon=1e-06)
    """

    name = "adagrad"
    n_slots = 1
    _parameter_constraints: dict = {"epsilon": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, epsilon=1e-8) -> None:
        self.epsilon = epsilon

    def coefficients(self, rate, t):
        """Return the rate and epsilon."""
        return rate, self.epsilon

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new parameter and its new sum of squares."""
        eta, epsilon = coefficients
        (s,) = state
        s = s + g * g
        return theta - eta * g / (math.sqrt(s) + epsilon), (s,)

    def step_coefficients(self, rate, t):
        """Return the rate and epsilon."""
        return rate, self.epsilon

    @staticmethod
    def step_size(state, coefficients):
        """Return the learning rate, divided as in the update."""
        eta, epsilon = coefficients
        return eta / (math.sqrt(state[0]) + epsilon)
