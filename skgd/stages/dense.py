r"""The linear map of a layer.

.. math:: z = x W + b
"""

from skgd.engine.stage import Block, Stage
from skgd.kernels.products import column_sums, input_gradient, linear, weight_gradient
from skgd.kernels.views import matrix, vector

__all__ = ["Dense"]


class Dense(Stage):
    """The linear map of a layer.

    Parameters
    ----------
    inputs, outputs : int
        The units of the previous layer, and of this one.

    bias : bool, default=True
        Whether there is a bias.
    """

    def __init__(self, inputs, outputs, bias=True):
        super().__init__(inputs, outputs)
        self.blocks = (Block("weights", (inputs, outputs)),)
        if bias:
            self.blocks += (Block("bias", (outputs,)),)

    @staticmethod
    def forward(stage, step, inputs, parameters, outputs, work):
        """Write ``inputs @ weights + bias``."""
        rows, n = step.last - step.first, stage.inputs * stage.outputs
        linear(
            matrix(inputs, 0, rows, stage.inputs),
            matrix(parameters, 0, stage.inputs, stage.outputs),
            vector(parameters, n, parameters.shape[0] - n),
            matrix(outputs, 0, rows, stage.outputs),
            work.multiply,
            work.own,
        )

    @staticmethod
    def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
        """Write ``delta @ weights.T``."""
        rows = step.last - step.first
        input_gradient(
            matrix(delta, 0, rows, stage.outputs),
            matrix(parameters, 0, stage.inputs, stage.outputs),
            matrix(input_delta, 0, rows, stage.inputs),
            work.multiply,
            work.own,
        )

    @staticmethod
    def gradient(stage, step, inputs, parameters, delta, out, work):
        """Write some rows of ``inputs.T @ delta``, or the column sums of ``delta``."""
        rows, columns = step.stop - step.row, stage.outputs
        delta = matrix(delta, 0, rows, columns)
        if step.parameter == stage.inputs * columns:
            column_sums(delta, out, work.multiply, work.own)
        else:
            weight_gradient(
                matrix(inputs, 0, rows, stage.inputs),
                step.parameter // columns,
                delta,
                matrix(out, 0, out.shape[0] // columns, columns),
                work.multiply,
                work.own,
            )
