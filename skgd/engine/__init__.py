"""The compiled training loop, and the only place that knows layouts and buffers.

Solvers, schedules, activations and losses need no more of it than what is named here.
"""

from skgd.engine.plugins import Activation, Loss, Schedule, Solver, Step
from skgd.kernels.elementary import exp, exp_of_rows, expm1, log, log1p, logistic, tanh
from skgd.kernels.rectifiers import gelu, gelu_slope, mish, silu, softplus

__all__ = [
    "Activation",
    "Loss",
    "Schedule",
    "Solver",
    "Step",
    "exp",
    "exp_of_rows",
    "expm1",
    "gelu",
    "gelu_slope",
    "log",
    "log1p",
    "logistic",
    "mish",
    "silu",
    "softplus",
    "tanh",
]
