r"""Gradient descent with momentum, classical or Nesterov's.

.. math::

    v &\leftarrow \mu v - \eta g \\
    \theta &\leftarrow \theta + v
    \quad \text{(Nesterov: } \theta \leftarrow \theta + \mu v - \eta g \text{)}

The velocity includes the learning rate, as in scikit-learn and Keras.

References
----------
B. T. Polyak (1964). "Some methods of speeding up the convergence of iteration methods."
USSR Computational Mathematics and Mathematical Physics 4(5).

I. Sutskever, J. Martens, G. Dahl, G. Hinton (2013). "On the importance of initialization
and momentum in deep learning." ICML.
"""

from itertools import accumulate
from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skgd.engine import Solver

__all__ = ["Momentum"]


class Momentum(Solver):
    """Gradient descent with momentum.

    Parameters
    ----------
    momentum : float, default=0.9
        The part of the velocity that an update keeps, between 0 and 1.

    nesterovs_momentum : bool, default=True
        Whether to use Nesterov's momentum.

    Examples
    --------
    >>> from skgd.solvers import Momentum
    >>> Momentum(momentum=0.95)
    Momentum(momentum=0.95)
    """

    name = "momentum"
    n_slots = 1
    _parameter_constraints: dict = {
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
    }

    def __init__(self, momentum=0.9, nesterovs_momentum=True) -> None:
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum

    def coefficients(self, rate, t):
        """Return the rate, the momentum, and whether to use Nesterov's momentum."""
        return rate, self.momentum, self.nesterovs_momentum

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new parameter and its new velocity."""
        eta, mu, nesterov = coefficients
        (v,) = state
        step = eta * g
        v = mu * v - step
        return theta + (mu * v - step if nesterov else v), (v,)

    def step_rates(self, rate, before):
        """Return decaying sums of the rates, as the velocity is a sum of gradients.

        Like the velocity, the sums lag behind a rate that falls. If the step size were only
        the rate, an L1 penalty would have only ``1 - momentum`` times its strength.
        """
        mu = self.momentum
        all_sums = accumulate(rate.tolist(), lambda s, eta: mu * s + eta, initial=before)
        sums = np.array(list(all_sums)[1:])
        return rate + mu * sums if self.nesterovs_momentum else sums, sums

    @staticmethod
    def step_size(state, coefficients):
        """Return the sum of the rates."""
        return coefficients[0]
