"""The compiled training loop, and the base classes of what plugs into it.

The path of a mini-batch, with the files of each step::

    rows, order of the epoch                      records.py; the loop is in train.py
      |
    gather     copy this thread's rows            passes.py
      |
    forward    stage 0 -> ... -> last stage       passes.py, calls.py; kernels: stages/
      |
    loss       its sum, its gradient              passes.py; kernels: loops.py, losses/
      |
    backward   stage 0 <- ... <- last stage       passes.py, calls.py; kernels: stages/
      |
    barrier    wait for the other threads         parallel/barrier.py
      |
    gradient   of some tiles, with the penalty    update.py, passes.py
      |
    update     these tiles, by a chain of steps   update.py; kernels: loops.py, solvers/
      |
    barrier    then the next mini-batch

The engine uses these words:

- batch: the rows of an update,
- chunk: a part of a batch, whose sums one thread computes,
- tile: parameters whose gradient is computed at once,
- slot: a number that a step of the update keeps for each parameter,
- stage: a part of a network, which is a chain of stages,
- block: parameters of one kind in a stage. The blocks of a matrix product
  (``kernels/blocks.py``) and the blocks of rows of L-BFGS have only the name in common.

Before training, ``layout.py`` places the parameters and the memory, and ``binding.py``
compiles the kernels of stages (``stage.py``) and plug-ins (``plugins.py``). ``predict.py``
runs only the forward pass. ``full_batch/`` is L-BFGS.
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
