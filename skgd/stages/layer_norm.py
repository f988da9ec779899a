r"""Layer normalization of a hidden layer.

.. math::

    \hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad y = \gamma \hat x + \beta

with the mean and the biased variance of the units of a row.

References
----------
J. L. Ba, J. R. Kiros, G. E. Hinton (2016). "Layer normalization." arXiv:1607.06450.
"""

import numpy as np

from skgd.compile.jit import jit
from skgd.engine.stage import Block, Stage
from skgd.kernels.views import vector

__all__ = ["LayerNorm"]


class LayerNorm(Stage):
    """Normalizes each row over its units, then scales and shifts each unit.

    The backward pass computes the moments again, which is faster than keeping them.

    Parameters
    ----------
    units : int
        The units of the layer.

    epsilon : float, default=1e-5
        Added to the variance.
    """

    def __init__(self, units, epsilon=1e-5):
        super().__init__(units, units)
        self.numbers = (epsilon,)
        self.blocks = (Block("scale", (units,)), Block("bias", (units,)))

    @staticmethod
    def forward(stage, step, inputs, parameters, outputs, work):
        """Write the normalized rows."""
        units = stage.outputs
        for start in range(0, outputs.shape[0], units):
            x, out = vector(inputs, start, units), vector(outputs, start, units)
            mean, factor = _moments(x, work.numbers[0])
            for j in range(units):
                out[j] = parameters[j] * ((x[j] - mean) * factor) + parameters[units + j]

    @staticmethod
    def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
        """Write the gradient with respect to the inputs."""
        units = stage.outputs
        for start in range(0, delta.shape[0], units):
            x, by_out = vector(inputs, start, units), vector(delta, start, units)
            by_x = vector(input_delta, start, units)
            mean, factor = _moments(x, work.numbers[0])
            total = along = x.dtype.type(0)
            for j in range(units):
                by_normal = by_out[j] * parameters[j]
                total += by_normal
                along += by_normal * ((x[j] - mean) * factor)
            total /= x.dtype.type(units)
            along /= x.dtype.type(units)
            for j in range(units):
                normal = (x[j] - mean) * factor
                by_x[j] = factor * (by_out[j] * parameters[j] - total - normal * along)

    @staticmethod
    def gradient(stage, step, inputs, parameters, delta, out, work):
        """Write the gradient with respect to the scale, or to the shift."""
        units = stage.outputs
        out[:] = 0
        for start in range(0, delta.shape[0], units):
            x, by_out = vector(inputs, start, units), vector(delta, start, units)
            if step.parameter == 0:
                mean, factor = _moments(x, work.numbers[0])
                for j in range(units):
                    out[j] += by_out[j] * ((x[j] - mean) * factor)
            else:
                for j in range(units):
                    out[j] += by_out[j]


@jit
def _moments(x, epsilon):
    """Return the mean of a row, and 1 / deviation."""
    kind = x.dtype.type
    mean = variance = kind(0)
    for j in range(x.shape[0]):
        mean += x[j]
    mean /= kind(x.shape[0])
    for j in range(x.shape[0]):
        variance += (x[j] - mean) * (x[j] - mean)
    variance /= kind(x.shape[0])
    factor = kind(1) / np.sqrt(variance + kind(epsilon))
    # NaN instead of 0 if the squares have overflowed.
    return mean, factor if variance < np.inf else kind(np.nan)
