"""The compiled training loop, and the only place that knows layouts and buffers.

Solvers, schedules, activations and losses need no more of it than what is named here.
"""

from skgd.engine.plugins import Activation, Loss, Schedule, Solver, Step
from skgd.kernels.elementary import exp, exp_of_rows, log, log1p, logistic, tanh

__all__ = [
    "Activation",
    "Loss",
    "Schedule",
    "Solver",
    "Step",
    "exp",
    "exp_of_rows",
    "log",
    "log1p",
    "logistic",
    "tanh",
]
