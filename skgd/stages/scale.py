r"""A weight for each input.

.. math:: y = s \odot x

References
----------
D. Holzmüller, L. Grinsztajn, I. Steinwart (2024). "Better by default: strong pre-tuned MLPs
and boosted trees on tabular data." NeurIPS, arXiv:2407.04491.
"""

from skgd.engine.stage import Block, Stage
from skgd.kernels.views import vector

__all__ = ["Scale"]


class Scale(Stage):
    """Multiplies each input by a weight.

    Predictions do not use this stage: the weights are folded into the next dense layer.

    Parameters
    ----------
    units : int
        The number of inputs.
    """

    def __init__(self, units):
        super().__init__(units, units)
        self.blocks = (Block("scale", (units,)),)

    @staticmethod
    def forward(stage, step, inputs, parameters, outputs, work):
        """Write the products."""
        units = stage.outputs
        for start in range(0, outputs.shape[0], units):
            x, out = vector(inputs, start, units), vector(outputs, start, units)
            for j in range(units):
                out[j] = x[j] * parameters[j]

    @staticmethod
    def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
        """Write the gradient with respect to the inputs."""
        units = stage.outputs
        for start in range(0, delta.shape[0], units):
            by_out, by_in = vector(delta, start, units), vector(input_delta, start, units)
            for j in range(units):
                by_in[j] = by_out[j] * parameters[j]

    @staticmethod
    def gradient(stage, step, inputs, parameters, delta, out, work):
        """Write the column sums of inputs times ``delta``."""
        units = stage.outputs
        out[:] = 0
        for start in range(0, delta.shape[0], units):
            x, by_out = vector(inputs, start, units), vector(delta, start, units)
            for j in range(units):
                out[j] += x[j] * by_out[j]
