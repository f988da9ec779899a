r"""Gradient descent with momentum, classical or Nesterov's.

.. math::

    v &\leftarrow \mu v - \eta g \\
    \theta &\leftarrow \theta + v
    \quad \text{(Nesterov: } \theta \leftarrow \theta + \mu v - \eta g \text{)}

The learning rate stays inside the velocity, as in scikit-learn and Keras.

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
    """Gradient descent with a velocity.

    Parameters
    ----------
    momentum : float, default=0.9
        The part of the velocity that an update keeps, between 0 and 1.

    nesterovs_momentum : bool, default=True
        Whether it is Nesterov's.

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
        """Return the rate, the momentum, and whether it is Nesterov's."""
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
        """Return the rates so far, each times the part of it that the velocity has kept.

        As the velocity does, their sum lags behind a rate that falls. Were the step size
        the rate alone, an L1 penalty would have ``1 - momentum`` of its strength.
        """
        mu = self.momentum
        all_sums = accumulate(rate.tolist(), lambda s, eta: mu * s + eta, initial=before)
        sums = np.array(list(all_sums)[1:])
        return rate + mu * sums if self.nesterovs_momentum else sums, sums

    @staticmethod
    def step_size(state, coefficients):
        """Return the rate of all updates together."""
        return coefficients[0]
