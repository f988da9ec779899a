"""The base class of stages. A network is a chain of stages.

The first stage reads the rows of the data. Input groups read further columns, and add to
the outputs of the first stage. Each other stage reads the outputs of the stage before it.
"""

from math import prod
from typing import ClassVar, NamedTuple

__all__ = ["KINDS", "Block", "Stage"]

# The kinds of parameters. Each may have its own learning rate. 'weights' are penalized.
KINDS = ("weights", "bias", "scale", "embedding", "activation", "periodic")


class Block(NamedTuple):
    """Parameters of one kind.

    Attributes
    ----------
    kind : str
        One of `KINDS`.

    shape : tuple of int
        The shape of the parameters. A tile has whole rows of it.

    is_summed : bool, default=False
        Whether the backward pass sums the gradient over all rows of the mini-batch.
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

    A subclass has three kernels. They are static methods, plain functions of flat arrays.
    ``stage`` and ``step`` are records of :mod:`skgd.engine.records`, ``work`` is a
    ``StageWork``. ``delta`` is the gradient with respect to the outputs, ``input_delta``
    the gradient with respect to the inputs.

    - ``forward(stage, step, inputs, parameters, outputs, work)`` writes ``outputs``, for
      this thread's rows: from ``step.first`` to ``step.last``.
    - ``backward(stage, step, inputs, parameters, outputs, delta, input_delta, work)``
      writes ``input_delta``, for the same rows.
    - ``gradient(stage, step, inputs, parameters, delta, out, work)`` writes the gradient
      with respect to the parameters, summed over the rows from ``step.row`` to
      ``step.stop``. ``out`` is for the parameters of a tile, and begins with the parameter
      ``step.parameter`` of the stage.

    The arrays of inputs, outputs and gradients have only these rows.

    An input group has two kernels, which read the rows of the data themselves:
    ``add(stage, step, rows, order, parameters, outputs, work)`` adds to the outputs, and
    ``gradient(stage, step, rows, order, parameters, delta, out, work)`` is as above. Row
    ``i`` of the mini-batch is row ``row_of(order, step.start + i)`` of the data.

    Parameters
    ----------
    inputs, outputs : int
        The number of inputs and outputs of a row.

    Attributes
    ----------
    is_group : bool
        Whether the stage is an input group.

    is_in_place : bool
        Whether the outputs overwrite the inputs. The kernels then use only ``outputs``.

    keeps_delta : bool
        Whether ``delta`` is needed after the backward pass. Otherwise, the backward pass
        overwrites it with the gradient with respect to the inputs.

    n_own, n_part, n_running : int
        How many numbers the stage needs for each thread, for each chunk of rows, and as
        running statistics.

    numbers : tuple of float
        The hyperparameters.

    blocks : tuple of Block
        The parameters.
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
        """Return the kernels to compile, in the order above."""
        group, others = ("add", "gradient"), ("forward", "backward", "gradient")
        return tuple(getattr(self, name) for name in (group if self.is_group else others))
