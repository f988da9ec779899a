r"""Numeric columns, and a few combinations of their cosines.

.. math:: y = (x, W_2 \cos(2 \pi w_1 x + b_1) + b_2)

Each column has its own parameters.

References
----------
D. Holzmüller, L. Grinsztajn, I. Steinwart (2024). "Better by default: strong pre-tuned MLPs
and boosted trees on tabular data." NeurIPS, arXiv:2407.04491.
"""

import numpy as np

from skgd.compile.jit import jit
from skgd.engine.stage import Block, Stage
from skgd.kernels.elementary import cos_of_turns
from skgd.kernels.views import matrix, vector

__all__ = ["Periodic"]


class Periodic(Stage):
    """Writes the inputs, then combinations of cosines of each of the first columns.

    Parameters
    ----------
    inputs : int
        The number of all columns.

    n_columns : int
        The number of columns that have cosines; they come first.

    n_frequencies, n_outputs : int
        The number of cosines of a column, and of their combinations.
    """

    def __init__(self, inputs, n_columns, n_frequencies, n_outputs):
        super().__init__(inputs, inputs + n_columns * n_outputs)
        self.numbers = (n_columns, n_frequencies, n_outputs)
        size = (2 + n_outputs) * n_frequencies + n_outputs
        self.blocks = (Block("periodic", (n_columns, size)),)
        self.n_own = 2 * n_frequencies

    @staticmethod
    def split(parameters, n_frequencies):
        """View the parameters as w1, b1, W2 and b2, with one item per column."""
        n_columns, size = parameters.shape
        n_outputs = (size - 2 * n_frequencies) // (n_frequencies + 1)
        ends = np.cumsum([n_frequencies, n_frequencies, n_outputs * n_frequencies])
        w1, b1, W2, b2 = np.split(parameters, ends, axis=1)
        return [w1, b1, W2.reshape(n_columns, n_outputs, n_frequencies), b2]

    @staticmethod
    def forward(stage, step, inputs, parameters, outputs, work):
        """Write the inputs and the combinations."""
        n_columns, n_waves, n_outputs = _numbers(work)
        waves = matrix(work.own, stage.own, 2, n_waves)
        size = (2 + n_outputs) * n_waves + n_outputs
        for i in range(step.last - step.first):
            x = vector(inputs, i * stage.inputs, stage.inputs)
            out = vector(outputs, i * stage.outputs, stage.outputs)
            out[: stage.inputs] = x
            for column in range(n_columns):
                own = vector(parameters, column * size, size)
                _write_waves(x[column], own, waves)
                for k in range(n_outputs):
                    weights = vector(own, (2 + k) * n_waves, n_waves)
                    total = own[size - n_outputs + k]
                    for f in range(n_waves):
                        total += weights[f] * waves[0, f]
                    out[stage.inputs + column * n_outputs + k] = total

    @staticmethod
    def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
        """Write the gradient with respect to the inputs."""
        n_columns, n_waves, n_outputs = _numbers(work)
        waves = matrix(work.own, stage.own, 2, n_waves)
        size = (2 + n_outputs) * n_waves + n_outputs
        for i in range(step.last - step.first):
            x = vector(inputs, i * stage.inputs, stage.inputs)
            by_out = vector(delta, i * stage.outputs, stage.outputs)
            by_in = vector(input_delta, i * stage.inputs, stage.inputs)
            by_in[:] = by_out[: stage.inputs]
            for column in range(n_columns):
                own = vector(parameters, column * size, size)
                _write_waves(x[column], own, waves)
                first = stage.inputs + column * n_outputs
                _turn_back(own, vector(by_out, first, n_outputs), waves)
                total = own.dtype.type(0)
                for f in range(n_waves):
                    total += waves[1, f] * own[f]
                by_in[column] += own.dtype.type(2 * np.pi) * total

    @staticmethod
    def gradient(stage, step, inputs, parameters, delta, out, work):
        """Write the gradient with respect to the parameters of some columns."""
        _, n_waves, n_outputs = _numbers(work)
        waves = matrix(work.own, stage.own, 2, n_waves)
        size = (2 + n_outputs) * n_waves + n_outputs
        out[:] = 0
        for start in range(0, out.shape[0], size):
            column = (step.parameter + start) // size
            own, by_own = vector(parameters, column * size, size), vector(out, start, size)
            for i in range(step.stop - step.row):
                x = inputs[i * stage.inputs + column]
                first = i * stage.outputs + stage.inputs + column * n_outputs
                by_out = vector(delta, first, n_outputs)
                _write_waves(x, own, waves)
                _turn_back(own, by_out, waves)
                turned = own.dtype.type(2 * np.pi) * x
                for f in range(n_waves):
                    by_own[f] += turned * waves[1, f]
                    by_own[n_waves + f] += waves[1, f]
                for k in range(n_outputs):
                    for f in range(n_waves):
                        by_own[(2 + k) * n_waves + f] += by_out[k] * waves[0, f]
                    by_own[size - n_outputs + k] += by_out[k]


@jit
def _numbers(work):
    return int(work.numbers[0]), int(work.numbers[1]), int(work.numbers[2])


@jit
def _write_waves(x, own, waves):
    """Write the cosines of a number, and their slopes."""
    turn, quarter = own.dtype.type(1 / (2 * np.pi)), own.dtype.type(0.25)
    n_waves = waves.shape[1]
    for f in range(n_waves):
        angle = own[f] * x + turn * own[n_waves + f]
        waves[0, f] = cos_of_turns(angle)
        waves[1, f] = cos_of_turns(angle + quarter)


@jit
def _turn_back(own, by_out, waves):
    """Replace the slopes of the cosines by the gradient with respect to their arguments."""
    n_waves = waves.shape[1]
    for f in range(n_waves):
        total = own.dtype.type(0)
        for k in range(by_out.shape[0]):
            total += by_out[k] * own[(2 + k) * n_waves + f]
        waves[1, f] *= total
