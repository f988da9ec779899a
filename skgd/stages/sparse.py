r"""The input group of sparse rows.

.. math:: z \leftarrow z + x W
"""

from skgd.engine.stage import Block, Stage
from skgd.kernels.views import matrix, row_of

__all__ = ["SparseColumns"]


class SparseColumns(Stage):
    """The linear map of sparse rows.

    Parameters
    ----------
    inputs, outputs : int
        The features, and the units of the first layer.
    """

    is_group = True

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self.blocks = (Block("weights", (inputs, outputs)),)

    @staticmethod
    def add(stage, step, rows, order, parameters, outputs, work):
        """Add the rows times the weights."""
        weights = matrix(parameters, 0, stage.inputs, stage.outputs)
        out = matrix(outputs, 0, step.last - step.first, stage.outputs)
        for i in range(out.shape[0]):
            row = row_of(order, step.start + step.first + i)
            for k in range(rows.row_starts[row], rows.row_starts[row + 1]):
                value = rows.values[k]
                column = rows.columns[k]
                for j in range(out.shape[1]):
                    out[i, j] += value * weights[column, j]

    @staticmethod
    def gradient(stage, step, rows, order, parameters, delta, out, work):
        """Write the transposed rows times ``delta``."""
        delta = matrix(delta, 0, step.stop - step.row, stage.outputs)
        gradient = matrix(out, 0, stage.inputs, stage.outputs)
        out[:] = 0
        for i in range(delta.shape[0]):
            row = row_of(order, step.start + step.row + i)
            for k in range(rows.row_starts[row], rows.row_starts[row + 1]):
                value = rows.values[k]
                column = rows.columns[k]
                for j in range(delta.shape[1]):
                    gradient[column, j] += value * delta[i, j]
