r"""The input group of categories that each have their own weights.

.. math:: z \leftarrow z + \sum_c W_{c, x_c}

This is the product of the one-hot encoding and the weights, without the encoding itself.
"""

from itertools import accumulate

from skgd.engine.stage import Block, Stage
from skgd.kernels.views import matrix, row_of

__all__ = ["Lookup"]


class Lookup(Stage):
    """Adds the weights of each column's category; code 0 stands for no category.

    Parameters
    ----------
    n_values : sequence of int
        The number of categories of each column.

    place : tuple of (int, int)
        The first column in ``rows.codes``, and the number of all columns there.

    outputs : int
        The units of the first layer.
    """

    is_group = True

    def __init__(self, n_values, place, outputs):
        super().__init__(sum(n_values), outputs)
        # For each column, the row before its first weights: categories begin with code 1.
        self.numbers = (*place, *(s - 1 for s in accumulate(n_values, initial=0)))
        self.blocks = (Block("weights", (self.inputs, outputs)),)

    @staticmethod
    def add(stage, step, rows, order, parameters, outputs, work):
        """Add a row of the weights for each column."""
        units, n_columns = stage.outputs, work.numbers.shape[0] - 3
        first, width = int(work.numbers[0]), int(work.numbers[1])
        weights = matrix(parameters, 0, stage.inputs, units)
        out = matrix(outputs, 0, step.last - step.first, units)
        for i in range(out.shape[0]):
            row = row_of(order, step.start + step.first + i)
            for column in range(n_columns):
                code = int(rows.codes[row * width + first + column])
                if code > 0:
                    value = int(work.numbers[2 + column]) + code
                    for j in range(units):
                        out[i, j] += weights[value, j]

    @staticmethod
    def gradient(stage, step, rows, order, parameters, delta, out, work):
        """Write the sums of ``delta`` over the rows of each category."""
        units, n_columns = stage.outputs, work.numbers.shape[0] - 3
        first, width = int(work.numbers[0]), int(work.numbers[1])
        delta = matrix(delta, 0, step.stop - step.row, units)
        gradient = matrix(out, 0, stage.inputs, units)
        gradient[:] = 0
        for i in range(delta.shape[0]):
            row = row_of(order, step.start + step.row + i)
            for column in range(n_columns):
                code = int(rows.codes[row * width + first + column])
                if code > 0:
                    value = int(work.numbers[2 + column]) + code
                    for j in range(units):
                        gradient[value, j] += delta[i, j]
