r"""The input group of piecewise-linear columns.

A column with the edges :math:`b_0 < \dots < b_T` has :math:`T` components,

.. math:: c_t = \mathrm{clamp}\left( \frac{x - b_{t-1}}{b_t - b_{t-1}}, 0, 1 \right)

except that the first is not clamped below, and the last is not clamped above. For a value
in bin :math:`t`, the components before :math:`t` are 1, component :math:`t` is the fraction
:math:`f`, and those after it are 0. Their product with the weights is

.. math:: \sum_{s<t} W_s + f W_t

The running sums of the weights are computed once per mini-batch. The components themselves
are never written.

References
----------
Y. Gorishniy, I. Rubachev, A. Babenko (2022). "On embeddings for numerical features in
tabular deep learning." NeurIPS, arXiv:2203.05556.
"""

from itertools import accumulate

from skgd.engine.stage import Block, Stage
from skgd.kernels.views import matrix, row_of

__all__ = ["PiecewiseLinear"]


class PiecewiseLinear(Stage):
    """The linear map of the components of piecewise-linear columns.

    The memory of a thread has the running sums of the weights or, for the gradient, the sum
    of ``delta`` over the rows of each bin.

    Parameters
    ----------
    n_bins : sequence of int
        The number of bins of each column.

    outputs : int
        The units of the first layer.
    """

    is_group = True

    def __init__(self, n_bins, outputs):
        super().__init__(sum(n_bins), outputs)
        self.numbers = tuple(accumulate(n_bins, initial=0))
        self.blocks = (Block("embedding", (self.inputs, outputs)),)
        self.n_own = self.inputs * outputs

    @staticmethod
    def add(stage, step, rows, order, parameters, outputs, work):
        """Add the components times the weights."""
        units, n_columns = stage.outputs, work.numbers.shape[0] - 1
        weights = matrix(parameters, 0, stage.inputs, units)
        sums = matrix(work.own, stage.own, stage.inputs, units)
        for column in range(n_columns):
            first, last = int(work.numbers[column]), int(work.numbers[column + 1])
            for j in range(units):
                sums[first, j] = 0
            for t in range(first + 1, last):
                for j in range(units):
                    sums[t, j] = sums[t - 1, j] + weights[t - 1, j]
        out = matrix(outputs, 0, step.last - step.first, units)
        for i in range(out.shape[0]):
            row = row_of(order, step.start + step.first + i)
            for k in range(row * n_columns, (row + 1) * n_columns):
                t, fraction = rows.bins[k], rows.fractions[k]
                for j in range(units):
                    out[i, j] += sums[t, j] + fraction * weights[t, j]

    @staticmethod
    def gradient(stage, step, rows, order, parameters, delta, out, work):
        """Write the transposed components times ``delta``."""
        units, n_columns = stage.outputs, work.numbers.shape[0] - 1
        delta = matrix(delta, 0, step.stop - step.row, units)
        gradient = matrix(out, 0, stage.inputs, units)
        after = matrix(work.own, stage.own, stage.inputs, units)
        gradient[:] = 0
        after[:] = 0
        for i in range(delta.shape[0]):
            row = row_of(order, step.start + step.row + i)
            for k in range(row * n_columns, (row + 1) * n_columns):
                t, fraction = rows.bins[k], rows.fractions[k]
                for j in range(units):
                    gradient[t, j] += fraction * delta[i, j]
                    after[t, j] += delta[i, j]
        # Add the rows of later bins, whose component is 1.
        for column in range(n_columns):
            first, last = int(work.numbers[column]), int(work.numbers[column + 1])
            for t in range(last - 2, first - 1, -1):
                for j in range(units):
                    gradient[t, j] += after[t + 1, j]
                    after[t, j] += after[t + 1, j]
