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
    bool, bool
        Whether all numbers of dense rows are finite, and whether all predictions are: not
        all activations let a NaN pass.
    """
    n_samples, n_outputs = out.shape
    block, features = buffers.weight.shape[0], samples.X.shape[0] // max(n_samples, 1)
    finite_rows = finite_predictions = True
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
        # They are looked at while they are in the cache.
        finite_rows &= _all_finite(vector(samples.X, start * features, rows * features))
        finite_predictions &= _all_finite(vector(z, 0, z.size))
    return finite_rows, finite_predictions
