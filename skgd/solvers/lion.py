r"""Lion: steps of equal size for all parameters, with the sign of a moving average.

.. math::

    \theta &\leftarrow \theta
    - \eta \operatorname{sign}(\beta_1 m + (1 - \beta_1) g) \\
    m &\leftarrow \beta_2 m + (1 - \beta_2) g

The weight decay of the paper is the estimators' parameter ``weight_decay``.

References
----------
X. Chen, C. Liang, D. Huang, E. Real, et al. (2023). "Symbolic discovery of optimization
algorithms." NeurIPS, arXiv:2302.06675.
"""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.engine import Solver

__all__ = ["Lion"]


class Lion(Solver):
    """Steps of equal size for all parameters, with the sign of a moving average.

    Parameters
    ----------
    beta_1 : float, default=0.9
        The weight of the moving average in a step, in [0, 1). The weight of the gradient is
        ``1 - beta_1``.

    beta_2 : float, default=0.99
        The decay rate of the moving average of the gradient, in [0, 1).

    Examples
    --------
    >>> from skgd.solvers import Lion
    >>> Lion(beta_1=0.95)
    Lion(beta_1=0.95)
    """

    name = "lion"
    n_slots = 1
    own_arguments = ("beta_1", "beta_2")
    _parameter_constraints: dict = {
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(self, beta_1=0.9, beta_2=0.99) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def coefficients(self, rate, t):
        """Return the rate, and the weights of the averages."""
        return rate, self.beta_1, 1 - self.beta_1, self.beta_2, 1 - self.beta_2

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new parameter and its new average."""
        eta, beta_1, rest_1, beta_2, rest_2 = coefficients
        (m,) = state
        c = beta_1 * m + rest_1 * g
        sign = 1.0 if c > 0.0 else (-1.0 if c < 0.0 else 0.0)
        # 0 c is NaN if the gradient is not finite, which the sign would hide.
        return theta - (eta * sign + 0.0 * c), (beta_2 * m + rest_2 * g,)

    def step_coefficients(self, rate, t):
        """Return the rate, corrected for the bias of an average that starts at 0."""
        return (rate * (1 - self.beta_2 ** (t + 1)),)

    @staticmethod
    def step_size(state, coefficients):
        """Return the learning rate, divided by the absolute value of the average.

        A step is the rate times a gradient divided by its own absolute value. If the step
        size were only the rate, an L1 penalty of weight 1 or more would make all parameters
        0, and a weaker penalty none.
        """
        # The constant avoids a division by 0 if there is no gradient.
        return coefficients[0] / (abs(state[0]) + 1e-30)
