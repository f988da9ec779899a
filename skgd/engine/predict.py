"""Predictions, a block of rows at a time."""

from skgd.engine.jit import jit
from skgd.engine.passes import forward, layer_output

__all__ = ["predict"]


@jit
def predict(samples, in_order, table, theta, buffers, activate, link, out):
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

    activate, link : first-class functions
        Of the hidden layers, and of the output.

    out : ndarray of shape (n_samples, n_outputs)
        Takes the predictions.
    """
    n_samples, n_outputs = out.shape
    block = buffers.weight.shape[0]
    for start in range(0, n_samples, block):
        rows = min(block, n_samples - start)
        epsilon = theta.dtype.type(0)
        forward(samples, in_order, start, rows, table, theta, buffers, activate, epsilon)
        z = layer_output(table, table.shape[0] - 1, rows, buffers)
        link(z)
        for i in range(rows):
            for k in range(n_outputs):
                out[start + i, k] = z[i, k]
