r"""NAdam: Adam with Nesterov's momentum.

.. math::

    \mu_k &= \beta_1 \left(1 - \tfrac{1}{2} \, 0.96^{k \psi}\right), \qquad
    M_k = \mu_1 \mu_2 \cdots \mu_k, \qquad k = t + 1 \\
    m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
    v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
    \theta &\leftarrow \theta - \eta \left( \frac{1 - \mu_k}{1 - M_k} g
    + \frac{\mu_{k+1}}{1 - M_{k+1}} m \right)
    \Big/ \left( \sqrt{\frac{v}{1 - \beta_2^k}} + \epsilon \right)

with :math:`t` updates before this one and :math:`\psi` the ``momentum_decay``. As in
PyTorch, :math:`\epsilon` is added after the correction.

References
----------
T. Dozat (2016). "Incorporating Nesterov momentum into Adam." ICLR workshop.
"""

import math
from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skgd.engine import Solver

__all__ = ["NAdam"]


class NAdam(Solver):
    """Adam with Nesterov's momentum.

    Parameters
    ----------
    beta_1, beta_2 : float, default=0.9, 0.999
        The decay rates of the moving averages of the gradient and of its square, in [0, 1).

    epsilon : float, default=1e-8
        Added to the denominator.

    momentum_decay : float, default=0.004
        How fast the momentum grows from about half of ``beta_1`` to ``beta_1``.

    Examples
    --------
    >>> from skgd.solvers import NAdam
    >>> NAdam(beta_2=0.95)
    NAdam(beta_2=0.95)
    """

    name = "nadam"
    n_slots = 2
    _parameter_constraints: dict = {
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "momentum_decay": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self, beta_1=0.9, beta_2=0.999, epsilon=1e-8, momentum_decay=0.004
    ) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.momentum_decay = momentum_decay

    def coefficients(self, rate, t):
        """Return the rates of the gradient and of its average, and the other factors."""
        k = np.asarray(t) + 1
        # Products of more factors are too small to change 1.
        most = math.ceil(-40 / math.log(max(self.beta_1, 1e-17)))
        products = np.cumprod(self._momentum(np.arange(1, min(most, k.max() + 1) + 1)))
        now, following = (products[np.minimum(i, len(products)) - 1] for i in (k, k + 1))
        return (
            rate * (1 - self._momentum(k)) / (1 - now),
            rate * self._momentum(k + 1) / (1 - following),
            self.beta_1,
            1 - self.beta_1,
            self.beta_2,
            1 - self.beta_2,
            (1 - self.beta_2**k) ** -0.5,
            self.epsilon,
        )

    def _momentum(self, k):
        """Return the momentum of the k-th update."""
        return self.beta_1 * (1 - 0.5 * 0.96 ** (k * self.momentum_decay))

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new parameter and its new moments."""
        eta_g, eta_m, beta_1, rest_1, beta_2, rest_2, correction, epsilon = coefficients
        m, v = state
        m = beta_1 * m + rest_1 * g
        v = beta_2 * v + rest_2 * (g * g)
        step = (eta_g * g + eta_m * m) / (math.sqrt(v) * correction + epsilon)
        return theta - step, (m, v)

    def step_coefficients(self, rate, t):
        """Return the rate, the bias correction of the second moment, and epsilon."""
        return rate, (1 - self.beta_2 ** (t + 1)) ** -0.5, self.epsilon

    @staticmethod
    def step_size(state, coefficients):
        """Return the factor of the gradient over all updates, for a mean without bias."""
        eta, correction, epsilon = coefficients
        return eta / (math.sqrt(state[1]) * correction + epsilon)
