r"""The L1 penalty, by a proximal step after the solver's.

.. math:: \theta \leftarrow \operatorname{sign}(\theta) \max(|\theta| - d \lambda / W, 0)

with the solver's step size :math:`d` for the parameter, the ``strength`` :math:`\lambda`
and the weight :math:`W` of the mini-batch. Small weights become exactly 0.

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
    """Moves the weights towards 0, and sets small ones to 0.

    This step comes directly after the solver, and uses the solver's ``step_size``.

    Parameters
    ----------
    solver : Solver
        The solver.

    strength : float
        The factor of the sum of the absolute weights in the objective.
    """

    kinds = ("weights",)
    shrinks = True

    def __init__(self, solver, strength):
        self.solver = solver
        self.strength = strength

    def coefficients(self, rate, t):
        """Return the coefficients of the step size, and the strength."""
        return (*self.solver.step_coefficients(rate, t), self.strength)
