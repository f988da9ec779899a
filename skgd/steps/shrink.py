r"""The L1 share of the penalty, by a proximal step after the solver's.

.. math:: \theta \leftarrow \operatorname{sign}(\theta) \max(|\theta| - d \lambda / W, 0)

d is the solver's own step size for this parameter, W the weight of the mini-batch. Weights
become exactly 0.

References
----------
J. Duchi, E. Hazan, Y. Singer (2011). "Adaptive subgradient methods for online learning and
stochastic optimization." JMLR 12.

J. Yun, A. C. Lozano, E. Yang (2021). "Adaptive proximal gradient methods for structured
neural networks." NeurIPS.
"""

from skgd.engine import Step

__all__ = ["Shrink"]


class Shrink(Step):
    """Brings the weights closer to 0; those that are close become 0.

    It comes right after the solver, whose ``step_size`` it asks for.

    Parameters
    ----------
    solver : Solver
        The solver.

    strength : float
        What the sum of absolute weights is multiplied by in the objective.
    """

    kinds = ("weights",)
    shrinks = True

    def __init__(self, solver, strength):
        self.solver = solver
        self.strength = strength

    def coefficients(self, rate, t):
        """Return those of the step size, and the strength."""
        return (*self.solver.step_coefficients(rate, t), self.strength)
