"""Predictions, for a block of rows at a time."""

import numpy as np

from skgd.compile.jit import jit
from skgd.engine.calls import memory_of
from skgd.engine.passes import forward
from skgd.kernels.pointers import pointer_to
from skgd.kernels.views import matrix, vector

__all__ = ["assess", "predict"]


@jit
def predict(rows, order, network, work, kernels, numbers, steps, out):
    """Write the network's predictions to ``out``.

    ``order`` is empty, since the rows are not permuted. ``numbers`` are the arguments of
    the loss. ``steps`` has one element, the position of the block.

    Returns whether all numbers of dense rows are finite, and whether all predictions are.
    Finite predictions do not imply finite rows: an activation may turn infinity or NaN into
    a finite number.
    """
    step = steps[0]
    memory = pointer_to(memory_of(rows, order, network, work, kernels))
    n_samples, n_outputs = out.shape
    features = rows.X.shape[0] // max(n_samples, 1)
    last = network.stages[network.stages.shape[0] - 1]
    finite_rows = finite_predictions = True
    for start in range(0, n_samples, step.capacity):
        n = min(step.capacity, n_samples - start)
        step.start, step.rows, step.last = start, n, n
        forward(memory, kernels, step)
        flat = vector(work.shared, last.value * step.capacity, n * n_outputs)
        z = matrix(flat, 0, n, n_outputs)
        kernels.link(z, numbers)
        for i in range(n):
            for k in range(n_outputs):
                out[start + i, k] = z[i, k]
        # Checked here, while they are in the cache.
        finite_rows &= _all_finite(vector(rows.X, start * features, n * features))
        finite_predictions &= _all_finite(flat)
    return finite_rows, finite_predictions


@jit
def assess(z, y, weight, kernels, numbers):
    """Return the weighted sum of the losses, and replace ``z`` by the predictions.

    ``z`` are the linear outputs, ``kernels`` the compiled functions of the loss, and
    ``numbers`` its arguments.
    """
    loss = kernels.evaluate(z.copy(), y, weight, z.dtype.type(1), numbers, np.empty_like(z))
    kernels.link(z, numbers)
    return loss


@jit
def _all_finite(numbers):
    infinity, found = numbers.dtype.type(np.inf), False
    for i in range(numbers.shape[0]):
        found |= not abs(numbers[i]) < infinity
    return not found
