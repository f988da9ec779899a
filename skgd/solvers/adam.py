r"""Adam: steps from bias-corrected moving averages of the gradient and its square.

.. math::

    m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
    v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
    \theta &\leftarrow \theta
    - \eta \frac{\sqrt{1 - \beta_2^{t+1}}}{1 - \beta_1^{t+1}} \frac{m}{\sqrt{v} + \epsilon}

with :math:`t` updates before this one. :math:`\epsilon` is the "epsilon hat" of section 2
of the paper, as in scikit-learn and TensorFlow 1. AMSGrad divides by
:math:`\sqrt{\max v} + \epsilon`, with the largest :math:`v` so far.

References
----------
D. P. Kingma, J. Ba (2015). "Adam: a method for stochastic optimization." ICLR,
arXiv:1412.6980.

S. J. Reddi, S. Kale, S. Kumar (2018). "On the convergence of Adam and beyond." ICLR.
"""

import math
from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skgd.engine import Solver

__all__ = ["Adam"]


class Adam(Solver):
    """Steps from bias-corrected moving averages of the gradient and its square.

    Parameters
    ----------
    beta_1, beta_2 : float, default=0.9, 0.999
        The decay rates of the moving averages of the gradient and of its square, in [0, 1).

    epsilon : float, default=1e-8
        Added to the denominator.

    amsgrad : bool, default=False
        Whether to divide by the largest mean square so far. The solver then keeps another
        number for each parameter.

    Examples
    --------
    >>> from skgd.solvers import Adam
    >>> Adam(beta_2=0.95)
    Adam(beta_2=0.95)
    """

    name = "adam"
    n_slots = 2
    _parameter_constraints: dict = {
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "amsgrad": ["boolean"],
    }

    def __init__(self, beta_1=0.9, beta_2=0.999, epsilon=1e-8, amsgrad=False) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def resolved(self):
        """Return the solver itself, or ``AMSGrad``, which has another slot."""
        if type(self) is Adam and self.amsgrad:
            return AMSGrad(**self.get_params())
        return self

    def coefficients(self, rate, t):
        """Return the bias-corrected rate, the weights of the averages, and epsilon."""
        bias_1, bias_2 = (_one_minus_power(b, t + 1) for b in (self.beta_1, self.beta_2))
        eta = rate * (bias_2**0.5 / bias_1)
        return eta, self.beta_1, 1 - self.beta_1, self.beta_2, 1 - self.beta_2, self.epsilon

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new parameter and its new moments."""
        eta, beta_1, rest_1, beta_2, rest_2, epsilon = coefficients
        m, v = state
        m = beta_1 * m + rest_1 * g
        v = beta_2 * v + rest_2 * (g * g)
        return theta - eta * m / (math.sqrt(v) + epsilon), (m, v)

    def step_coefficients(self, rate, t):
        """Return the rate, corrected for the bias of the second moment, and epsilon."""
        return rate * _one_minus_power(self.beta_2, t + 1) ** 0.5, self.epsilon

    @staticmethod
    def step_size(state, coefficients):
        """Return the factor of the bias-corrected mean gradient."""
        eta, epsilon = coefficients
        return eta / (math.sqrt(state[1]) + epsilon)


class AMSGrad(Adam):
    """The solver that ``Adam(amsgrad=True)`` resolves to.

    Parameters
    ----------
    beta_1, beta_2, epsilon, amsgrad
        As for Adam.
    """

    n_slots = 3

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new parameter, its new moments and the largest second moment."""
        eta, beta_1, rest_1, beta_2, rest_2, epsilon = coefficients
        m, v, largest = state
        m = beta_1 * m + rest_1 * g
        v = beta_2 * v + rest_2 * (g * g)
        largest = max(largest, v)
        return theta - eta * m / (math.sqrt(largest) + epsilon), (m, v, largest)

    @staticmethod
    def step_size(state, coefficients):
        """Return the factor of the bias-corrected mean gradient."""
        eta, epsilon = coefficients
        return eta / (math.sqrt(state[2]) + epsilon)


def _one_minus_power(base, exponents):
    """Return 1 - base ** exponents, five times as fast as by the power."""
    return -np.expm1(exponents * np.log(base)) if base else np.ones(len(exponents))
