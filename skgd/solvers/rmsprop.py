r"""RMSProp: steps divided by the root of a moving average of squared gradients.

.. math::

    s &\leftarrow \rho s + (1 - \rho) g^2, \qquad s_0 = 0 \\
    \theta &\leftarrow \theta - \eta \frac{g}{\sqrt{s} + \epsilon}

:math:`\epsilon` is outside of the root, as in PyTorch. If ``centered``, the square of the
mean gradient is subtracted: :math:`s - m^2` is the variance of the gradient.

.. math::

    m &\leftarrow \rho m + (1 - \rho) g, \qquad m_0 = 0 \\
    \theta &\leftarrow \theta - \eta \frac{g}{\sqrt{s - m^2} + \epsilon}

With ``momentum``, there is a velocity, which the learning rate multiplies, as in PyTorch:

.. math::

    b &\leftarrow \mu b + \frac{g}{\ldots + \epsilon} \\
    \theta &\leftarrow \theta - \eta b

References
----------
T. Tieleman, G. Hinton (2012). "Lecture 6.5, rmsprop: divide the gradient by a running
average of its recent magnitude." Neural Networks for Machine Learning, Coursera.

A. Graves (2013). "Generating sequences with recurrent neural networks." arXiv:1308.0850.
"""

import math
from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.engine import Solver

__all__ = ["RMSProp"]


class RMSProp(Solver):
    """Divides steps by the root of a moving average of squared gradients.

    Parameters
    ----------
    rho : float, default=0.9
        The decay rate of the moving average of the squared gradient, in [0, 1).

    epsilon : float, default=1e-8
        Added to the denominator.

    centered : bool, default=False
        Whether to divide by the standard deviation of the gradient instead. The solver then
        keeps another number for each parameter.

    momentum : float, default=0.0
        The part of the velocity that an update keeps, in [0, 1). If it is positive, the
        solver keeps another number for each parameter.

    Examples
    --------
    >>> from skgd.solvers import RMSProp
    >>> RMSProp(rho=0.95)
    RMSProp(rho=0.95)
    """

    name = "rmsprop"
    n_slots = 1
    own_arguments = ("momentum",)
    _parameter_constraints: dict = {
        "rho": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "centered": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(self, rho=0.9, epsilon=1e-8, centered=False, momentum=0.0) -> None:
        self.rho = rho
        self.epsilon = epsilon
        self.centered = centered
        self.momentum = momentum

    def resolved(self):
        """Return the solver itself, or a variant with more slots."""
        variant = {
            (True, False): CenteredRMSProp,
            (False, True): MomentumRMSProp,
            (True, True): CenteredMomentumRMSProp,
        }.get((self.centered, self.momentum > 0))
        if type(self) is RMSProp and variant is not None:
            return variant(**self.get_params())
        return self

    def coefficients(self, rate, t):
        """Return the rate, the weights of the average, and epsilon."""
        return rate, self.rho, 1 - self.rho, self.epsilon

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new parameter and its new mean square."""
        eta, rho, rest, epsilon = coefficients
        (s,) = state
        s = rho * s + rest * (g * g)
        return theta - eta * g / (math.sqrt(s) + epsilon), (s,)

    def step_coefficients(self, rate, t):
        """Return the rate and epsilon."""
        return rate, self.epsilon

    @staticmethod
    def step_size(state, coefficients):
        """Return the learning rate, divided as in the update."""
        eta, epsilon = coefficients
        return eta / (math.sqrt(state[0]) + epsilon)


class CenteredRMSProp(RMSProp):
    """The solver that ``RMSProp(centered=True)`` resolves to.

    Parameters
    ----------
    rho, epsilon, centered, momentum
        As for RMSProp.
    """

    n_slots = 2

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new parameter, its new mean square and its new mean."""
        eta, rho, rest, epsilon = coefficients
        s, m = state
        s = rho * s + rest * (g * g)
        m = rho * m + rest * g
        # Rounding may make it negative.
        variance = max(s - m * m, 0.0)
        return theta - eta * g / (math.sqrt(variance) + epsilon), (s, m)

    @staticmethod
    def step_size(state, coefficients):
        """Return the learning rate, divided as in the update."""
        eta, epsilon = coefficients
        s, m = state[0], state[1]
        return eta / (math.sqrt(max(s - m * m, 0.0)) + epsilon)


class MomentumRMSProp(RMSProp):
    """The solver that ``RMSProp(momentum=0.9)`` resolves to.

    Parameters
    ----------
    rho, epsilon, centered, momentum
        As for RMSProp.
    """

    n_slots = 2

    def coefficients(self, rate, t):
        """Return the coefficients of RMSProp, and the momentum."""
        return *super().coefficients(rate, t), self.momentum

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new parameter, its new mean square and its new velocity."""
        eta, rho, rest, epsilon, mu = coefficients
        s, b = state
        s = rho * s + rest * (g * g)
        b = mu * b + g / (math.sqrt(s) + epsilon)
        return theta - eta * b, (s, b)

    def step_coefficients(self, rate, t):
        """Return the sum of the rates over all updates, and epsilon."""
        mu = self.momentum
        return rate * (1 - mu ** (t + 1)) / (1 - mu), self.epsilon

    step_size = staticmethod(RMSProp.step_size)


class CenteredMomentumRMSProp(MomentumRMSProp):
    """The solver that ``RMSProp(centered=True, momentum=0.9)`` resolves to.

    Parameters
    ----------
    rho, epsilon, centered, momentum
        As for RMSProp.
    """

    n_slots = 3

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new parameter, its mean square, its mean and its velocity."""
        eta, rho, rest, epsilon, mu = coefficients
        s, m, b = state
        s = rho * s + rest * (g * g)
        m = rho * m + rest * g
        b = mu * b + g / (math.sqrt(max(s - m * m, 0.0)) + epsilon)
        return theta - eta * b, (s, m, b)

    step_size = staticmethod(CenteredRMSProp.step_size)
