"""The compiled training loop, and the base classes of what plugs into it.

The way of a mini-batch, with the file that owns each step::

    Rows, order of the epoch                      records.py; the loop is train.py
      |
    gather     copy this thread's rows            passes.py
      |
    forward    stage 0 -> ... -> last stage       passes.py, calls.py; kernels: stages/
      |
    loss       its sum, its slope by the outputs  passes.py; kernels: loops.py, losses/
      |
    backward   stage 0 <- ... <- last stage       passes.py
      |
    barrier    wait for the other threads         parallel/barrier.py
      |
    gradient   of some tiles, with the penalty    update.py, passes.py
      |
    update     of these tiles: the chain of steps update.py; kernels: loops.py, solvers/
      |
    barrier    then the next mini-batch

Six words have one meaning each:

- batch: the rows of an update,
- chunk: the rows whose sums a thread takes at once, a part of a batch,
- tile: the parameters whose gradient is computed at once,
- block: the part of a product that stays in registers,
- slot: a number that the solver keeps for each parameter,
- stage: a link of the chain that a network is.

Before training, ``layout.py`` places parameters and memory, and ``binding.py`` compiles
the kernels of stages (``stage.py``) and plug-ins (``plugins.py``). ``predict.py`` is the
forward pass alone; ``full_batch/`` is L-BFGS.
"""

from skgd.engine.plugins import Activation, Loss, NumericEmbedding, Schedule, Solver, Step
from skgd.kernels.elementary import exp, exp_of_rows, expm1, log, log1p, logistic, tanh
from skgd.kernels.rectifiers import gelu, mish, silu, softplus

__all__ = [
    "Activation",
    "Loss",
    "NumericEmbedding",
    "Schedule",
    "Solver",
    "Step",
    "exp",
    "exp_of_rows",
    "expm1",
    "gelu",
    "log",
    "log1p",
    "logistic",
    "mish",
    "silu",
    "softplus",
    "tanh",
]
