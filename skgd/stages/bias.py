"""A bias: the first stage if there are no dense columns. Input groups add to it."""

from skgd.engine.stage import Block, Stage
from skgd.kernels.products import column_sums
from skgd.kernels.views import matrix

__all__ = ["Bias"]


class Bias(Stage):
    """Writes a bias, or zeros if there is none.

    Parameters
    ----------
    outputs : int
        The units of the first layer.

    bias : bool, default=True
        Whether there is a bias.
    """

    def __init__(self, outputs, bias=True):
        super().__init__(0, outputs)
        if bias:
            self.blocks = (Block("bias", (outputs,)),)

    @staticmethod
    def forward(stage, step, inputs, parameters, outputs, work):
        """Write the bias to each row."""
        out = matrix(outputs, 0, step.last - step.first, stage.outputs)
        for i in range(out.shape[0]):
            for j in range(out.shape[1]):
                out[i, j] = parameters[j] if parameters.shape[0] > 0 else 0

    @staticmethod
    def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
        """There are no inputs."""

    @staticmethod
    def gradient(stage, step, inputs, parameters, delta, out, work):
        """Write the column sums of ``delta``."""
        rows = step.stop - step.row
        column_sums(matrix(delta, 0, rows, stage.outputs), out, work.multiply, work.own)
