r"""The input group of sparse rows.

.. math:: z \leftarrow z + x W

With dropout of the inputs, ``x`` is the row after :class:`~skgd.stages.Dropout`.
"""

from skgd.compile.jit import jit
from skgd.engine.stage import Block, Stage
from skgd.kernels.random import multiplier, rounded_rate
from skgd.kernels.views import matrix, row_of

__all__ = ["SparseColumns"]


@jit
def _kept(values, k, step, place, rate):
    """Return a value after dropout."""
    value = values[k]
    if rate[0] > 0:
        value *= values.dtype.type(multiplier(step.seed, (step.update, 0, place), rate))
    return value


class SparseColumns(Stage):
    """The linear map of sparse rows.

    Parameters
    ----------
    inputs, outputs : int
        The number of features, and the units of the first layer.

    rate : float, default=0.0
        The probability that an input is dropped.
    """

    is_group = True

    def __init__(self, inputs, outputs, rate=0.0):
        super().__init__(inputs, outputs)
        self.rate = rate
        self.numbers = (rate,)
        self.blocks = (Block("weights", (inputs, outputs)),)

    @staticmethod
    def add(stage, step, rows, order, parameters, outputs, work):
        """Add the rows times the weights."""
        rate = rounded_rate(step.dropping * work.numbers[0])
        weights = matrix(parameters, 0, stage.inputs, stage.outputs)
        out = matrix(outputs, 0, step.last - step.first, stage.outputs)
        for i in range(out.shape[0]):
            row = row_of(order, step.start + step.first + i)
            for k in range(rows.row_starts[row], rows.row_starts[row + 1]):
                column = rows.columns[k]
                place = (step.first + i) * stage.inputs + column
                value = _kept(rows.values, k, step, place, rate)
                for j in range(out.shape[1]):
                    out[i, j] += value * weights[column, j]

    @staticmethod
    def gradient(stage, step, rows, order, parameters, delta, out, work):
        """Write the transposed rows times ``delta``."""
        rate = rounded_rate(step.dropping * work.numbers[0])
        delta = matrix(delta, 0, step.stop - step.row, stage.outputs)
        gradient = matrix(out, 0, stage.inputs, stage.outputs)
        out[:] = 0
        for i in range(delta.shape[0]):
            row = row_of(order, step.start + step.row + i)
            for k in range(rows.row_starts[row], rows.row_starts[row + 1]):
                column = rows.columns[k]
                place = (step.row + i) * stage.inputs + column
                value = _kept(rows.values, k, step, place, rate)
                for j in range(delta.shape[1]):
                    gradient[column, j] += value * delta[i, j]
