"""The base class of stages: what a network is a chain of.

The first stage reads the rows of the data. Input groups read further columns and add to
what the first stage has written. Each other stage maps the outputs of the one before it.
"""

from math import prod
from typing import ClassVar, NamedTuple

__all__ = ["KINDS", "Block", "Stage"]

# The kinds of parameters. Each may have its own rate, and the penalty acts on weights.
KINDS = ("weights", "bias", "scale", "embedding", "activation", "periodic")


class Block(NamedTuple):
    """Parameters of one kind.

    Attributes
    ----------
    kind : str
        One of `KINDS`.

    shape : tuple of int
        A gradient is computed for whole rows of it.

    is_summed : bool
        Whether the backward pass sums the gradient over all rows.
    """

    kind: str
    shape: tuple
    is_summed: bool = False

    @property
    def size(self):
        """The number of parameters."""
        return int(prod(self.shape))


class Stage:
    """A map of rows, with or without parameters.

    A subclass has three kernels, plain functions of flat arrays, all as static methods.
    ``stage`` and ``step`` are the records of :mod:`skgd.engine.records`, ``work`` is a
    ``StageWork``; arrays of rows hold this thread's, from ``step.first`` to ``step.last``.

    - ``forward(stage, step, inputs, parameters, outputs, work)`` writes the outputs,
    - ``backward(stage, step, inputs, parameters, outputs, delta, input_delta, work)``
      writes the gradient by the inputs from ``delta``, that by the outputs,
    - ``gradient(stage, step, inputs, parameters, delta, out, work)`` writes the gradient
      by the parameters from ``step.parameter`` on that ``out`` has room for, over the rows
      from ``step.row`` to ``step.stop``.

    An input group has two instead, which read the rows of the data themselves:
    ``add(stage, step, rows, order, parameters, outputs, work)`` adds to the outputs,
    ``gradient(stage, step, rows, order, parameters, delta, out, work)`` is as above. Row
    ``i`` of the mini-batch is row ``row_of(order, step.start + i)`` of the data.

    Parameters
    ----------
    inputs, outputs : int
        The numbers of a row that it reads and writes.

    Attributes
    ----------
    is_group : bool
        Whether it is an input group.

    is_in_place : bool
        Whether it replaces its inputs by the outputs. The kernels then use only
        ``outputs``.

    keeps_delta : bool
        Whether ``delta`` is needed after the backward pass. Otherwise the kernel replaces
        it by the gradient by the inputs.

    n_own, n_part, n_running : int
        Numbers that it needs for each thread, for each chunk of rows, and from one
        mini-batch to the next.

    numbers : tuple of float
        Its hyperparameters.

    blocks : list of Block
        Its parameters.
    """

    is_group: ClassVar[bool] = False
    is_in_place: bool = False
    keeps_delta: ClassVar[bool] = True
    n_own = 0
    n_part = 0
    n_running = 0
    numbers: tuple = ()
    blocks: tuple = ()

    def __init__(self, inputs, outputs):
        self.inputs = inputs
        self.outputs = outputs

    @property
    def key(self):
        """Return the key that stages with the same kernels share."""
        return type(self)

    def kernels(self, dtype):
        """Return the functions to compile, in the order above."""
        group, others = ("add", "gradient"), ("forward", "backward", "gradient")
        return tuple(getattr(self, name) for name in (group if self.is_group else others))
