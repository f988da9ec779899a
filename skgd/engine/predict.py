"""Predictions, a block of rows at a time."""

import numpy as np

from skgd.engine.jit import jit
from skgd.engine.passes import forward, outputs_of
from skgd.engine.views import vector

__all__ = ["predict"]


@jit
def _all_finite(numbers):
    infinity, found = numbers.dtype.type(np.inf), False
    for i in range(numbers.shape[0]):
        found |= not abs(numbers[i]) < infinity
    return not found


@jit
def predict(samples, in_order, table, theta, buffers, rules, out, alone):
    """Write the network's predictions to ``out``.

    Parameters
    ----------
    samples : Samples
        The rows; targets and weights are not looked at.

    in_order : ndarray of shape (0,), dtype=int64
        No permutation of the rows.

    table, theta : ndarray
        A network without batch normalization: it is folded into the weights.

    buffers : Buffers
        Room for a block of rows.

    rules : PredictionRules
        The functions of the hidden layers, and of the output.

    out : ndarray of shape (n_samples, n_outputs)
        Takes the predictions.

    alone : Team
        One thread.

    Returns
    -------
    bool
        Whether all predictions, and all numbers of dense rows, are finite.
    """
    n_samples, n_outputs = out.shape
    block, features = buffers.weight.shape[0], samples.X.shape[0] // max(n_samples, 1)
    is_finite = True
    for start in range(0, n_samples, block):
        rows = min(block, n_samples - start)
        forward(
            samples,
            in_order,
            start,
            rows,
            0,
            rows,
            rows,
            table,
            theta,
            buffers,
            rules.multiply,
            rules.activate,
            theta.dtype.type(0),
            alone,
        )
        z = outputs_of(table, table.shape[0] - 1, 0, rows, buffers)
        rules.link(z)
        for i in range(rows):
            for k in range(n_outputs):
                out[start + i, k] = z[i, k]
        # Of what the kernels read and write, while it is in the cache. Not all activations
        # let a NaN pass.
        X = vector(samples.X, start * features, rows * features)
        is_finite &= _all_finite(X) and _all_finite(vector(z, 0, z.size))
    return is_finite
