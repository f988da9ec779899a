"""Batch normalization of a hidden layer. skgd.kernels.batch_norm has the formulas."""

import numpy as np

from skgd.engine.stage import Block, Stage
from skgd.kernels.batch_norm import (
    effective_rows,
    finish_moments,
    merge_moments,
    moments_of,
    normalize,
    normalize_backward,
    scale_and_shift_gradient,
    update_running,
)
from skgd.kernels.views import matrix, vector
from skgd.parallel.barrier import barrier

__all__ = ["BatchNorm"]


class BatchNorm(Stage):
    """Normalizes each unit over the mini-batch, then scales and shifts it.

    The memory of a thread has the mean, the variance, 1 / deviation and scale / deviation
    of the mini-batch, and the gradients with respect to scale and shift. The memory of a
    chunk has its weight, its mean, its sum of squares, and its part of the two gradients.

    Predictions do not use this stage, since `fold` merges it into the dense layer.

    Parameters
    ----------
    units : int
        The units of the layer.

    momentum : float
        The part of the running statistics that a mini-batch keeps.

    epsilon : float
        Added to the variance.
    """

    keeps_delta = False

    def __init__(self, units, momentum, epsilon):
        super().__init__(units, units)
        self.numbers = (momentum, epsilon)
        self.blocks = (
            Block("scale", (units,), is_summed=True),
            Block("bias", (units,), is_summed=True),
        )
        self.n_own = 6 * units
        self.n_part = 1 + 4 * units
        self.n_running = 2 * units + 1

    def fold(self, weights, gamma, beta, running):
        """Fold the normalization by the running statistics into a dense layer.

        Parameters
        ----------
        weights : ndarray of shape (inputs, units)
            The weights of the dense layer, which has no bias.

        gamma, beta : ndarray of shape (units,)
            The scale and the shift.

        running : ndarray of shape (2 * units + 1,)
            The running statistics.

        Returns
        -------
        weights : ndarray of shape (inputs, units)
        bias : ndarray of shape (units,)
            The layer ``x @ weights + bias``, in the dtype of the given ``weights``.
        """
        mean, variance = running[:-1].reshape(2, self.outputs)
        _, epsilon = self.numbers
        scale = gamma / np.sqrt(variance + epsilon)
        folded = weights * scale, beta - mean * scale
        return tuple(array.astype(weights.dtype) for array in folded)

    @staticmethod
    def forward(stage, step, inputs, parameters, outputs, work):
        """Write the normalized rows; the first thread updates the running statistics."""
        units, shared = stage.outputs, work.shared
        momentum, epsilon = work.numbers[0], work.numbers[1]
        rows = step.last - step.first
        x = matrix(inputs, 0, rows, units)
        for begin in range(step.first, step.last, step.chunk):
            n = min(step.chunk, step.last - begin)
            part = step.parts + begin // step.chunk * step.part_size + stage.part
            shared[part] = moments_of(
                matrix(x, (begin - step.first) * units, n, units),
                vector(shared, begin, n),
                matrix(shared, part + 1, 2, units),
            )
        barrier(work.arrivals, step.n_threads)
        moments = matrix(work.own, stage.own, 4, units)
        moments[:] = 0
        total = moments.dtype.type(0)
        for chunk in range((step.rows + step.chunk - 1) // step.chunk):
            part = step.parts + chunk * step.part_size + stage.part
            merge_moments(matrix(shared, part + 1, 2, units), shared[part], total, moments)
            total += shared[part]
        finish_moments(total, epsilon, vector(parameters, 0, units), moments)
        normalize(
            x,
            vector(parameters, units, units),
            moments,
            matrix(outputs, 0, rows, units),
        )
        if step.thread == 0:
            count = effective_rows(vector(shared, 0, step.rows))
            seen = momentum * work.running[2 * units] + count
            work.running[2 * units] = seen
            update_running(moments, count / seen, matrix(work.running, 0, 2, units))

    @staticmethod
    def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
        """Replace ``delta`` by the gradient with respect to the inputs."""
        units, shared = stage.outputs, work.shared
        rows = step.last - step.first
        x, delta = matrix(inputs, 0, rows, units), matrix(delta, 0, rows, units)
        moments = matrix(work.own, stage.own, 4, units)
        for begin in range(step.first, step.last, step.chunk):
            n = min(step.chunk, step.last - begin)
            part = step.parts + begin // step.chunk * step.part_size + stage.part
            scale_and_shift_gradient(
                matrix(x, (begin - step.first) * units, n, units),
                matrix(delta, (begin - step.first) * units, n, units),
                moments,
                matrix(shared, part + 1 + 2 * units, 2, units),
            )
        barrier(work.arrivals, step.n_threads)
        sums = matrix(work.own, stage.own + 4 * units, 2, units)
        sums[:] = 0
        for chunk in range((step.rows + step.chunk - 1) // step.chunk):
            part = step.parts + chunk * step.part_size + stage.part
            added = matrix(shared, part + 1 + 2 * units, 2, units)
            for k in range(2):
                for j in range(units):
                    sums[k, j] += added[k, j]
        normalize_backward(
            x,
            vector(shared, step.first, rows),
            step.weight,
            moments,
            sums,
            delta,
        )

    @staticmethod
    def gradient(stage, step, inputs, parameters, delta, out, work):
        """Copy the gradient that the backward pass has summed."""
        first = stage.own + 4 * stage.outputs + step.parameter
        for j in range(out.shape[0]):
            out[j] = work.own[first + j]
