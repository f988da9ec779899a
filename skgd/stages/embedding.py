r"""The input group of learned embeddings of categories.

.. math:: z \leftarrow z + \sum_c E_{c, x_c} W_c

with a short vector :math:`E_{c,v}` for each category :math:`v` of a column :math:`c`. With
:class:`~skgd.stages.Lookup`, each category would have a weight for each unit instead.
"""

from itertools import accumulate

from skgd.engine.stage import Block, Stage
from skgd.kernels.views import matrix, row_of

__all__ = ["Embedding"]


class Embedding(Stage):
    """Maps each category to a vector, and the vectors to the units of the first layer.

    The vector of code 0, which stands for no category, is 0.

    Parameters
    ----------
    n_values : sequence of int
        The number of categories of each column.

    size : int
        The length of a vector.

    place : tuple of (int, int)
        The first column in ``rows.codes``, and the number of all columns there.

    outputs : int
        The units of the first layer.
    """

    is_group = True

    def __init__(self, n_values, size, place, outputs):
        super().__init__(len(n_values) * size, outputs)
        # For each column, the row before its first vector: categories begin with code 1.
        self.numbers = (size, *place, *(s - 1 for s in accumulate(n_values, initial=0)))
        self.blocks = (
            Block("embedding", (sum(n_values), size)),
            Block("weights", (self.inputs, outputs)),
        )

    @staticmethod
    def add(stage, step, rows, order, parameters, outputs, work):
        """Add the vectors times the weights."""
        units, n_columns = stage.outputs, work.numbers.shape[0] - 4
        size, first = int(work.numbers[0]), int(work.numbers[1])
        width = int(work.numbers[2])
        n_vectors = int(work.numbers[3 + n_columns]) + 1
        vectors = matrix(parameters, 0, n_vectors, size)
        weights = matrix(parameters, n_vectors * size, stage.inputs, units)
        out = matrix(outputs, 0, step.last - step.first, units)
        for i in range(out.shape[0]):
            row = row_of(order, step.start + step.first + i)
            for column in range(n_columns):
                code = int(rows.codes[row * width + first + column])
                if code > 0:
                    value = int(work.numbers[3 + column]) + code
                    for k in range(size):
                        number = vectors[value, k]
                        for j in range(units):
                            out[i, j] += number * weights[column * size + k, j]

    @staticmethod
    def gradient(stage, step, rows, order, parameters, delta, out, work):
        """Write the gradient with respect to the vectors, or to the weights."""
        units, n_columns = stage.outputs, work.numbers.shape[0] - 4
        size, first = int(work.numbers[0]), int(work.numbers[1])
        width = int(work.numbers[2])
        n_vectors = int(work.numbers[3 + n_columns]) + 1
        vectors = matrix(parameters, 0, n_vectors, size)
        weights = matrix(parameters, n_vectors * size, stage.inputs, units)
        is_of_vectors = step.parameter == 0
        by_vectors = matrix(out, 0, n_vectors if is_of_vectors else 0, size)
        by_weights = matrix(out, 0, 0 if is_of_vectors else stage.inputs, units)
        delta = matrix(delta, 0, step.stop - step.row, units)
        out[:] = 0
        for i in range(delta.shape[0]):
            row = row_of(order, step.start + step.row + i)
            for column in range(n_columns):
                code = int(rows.codes[row * width + first + column])
                if code == 0:
                    continue
                value = int(work.numbers[3 + column]) + code
                for k in range(size):
                    source = column * size + k
                    if is_of_vectors:
                        total = delta.dtype.type(0)
                        for j in range(units):
                            total += delta[i, j] * weights[source, j]
                        by_vectors[value, k] += total
                    else:
                        number = vectors[value, k]
                        for j in range(units):
                            by_weights[source, j] += number * delta[i, j]
