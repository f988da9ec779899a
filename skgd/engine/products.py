"""The three matrix products of a layer, and the first layer's over sparse rows."""

import numpy as np

from skgd.engine.jit import jit

__all__ = [
    "column_sums",
    "input_gradient",
    "linear",
    "sparse_linear",
    "sparse_weight_gradient",
    "weight_gradient",
]


@jit
def linear(inputs, weights, out):
    """Write ``inputs @ weights``."""
    np.dot(inputs, weights, out)


@jit
def weight_gradient(inputs, delta, out):
    """Write ``inputs.T @ delta``."""
    np.dot(inputs.T, delta, out)


@jit
def input_gradient(delta, weights, out):
    """Write ``delta @ weights.T``."""
    np.dot(delta, weights.T, out)


@jit
def column_sums(delta, out):
    """Write the sum of each column."""
    out[:] = 0
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            out[j] += delta[i, j]


@jit
def sparse_linear(values, columns, row_starts, order, start, weights, out):
    """Write the rows ``order[start:]`` of a csr matrix, times ``weights``.

    An empty ``order`` stands for the rows as they come.
    """
    for i in range(out.shape[0]):
        row = order[start + i] if order.shape[0] > 0 else start + i
        for j in range(out.shape[1]):
            out[i, j] = 0
        for k in range(row_starts[row], row_starts[row + 1]):
            value = values[k]
            column = columns[k]
            for j in range(out.shape[1]):
                out[i, j] += value * weights[column, j]


@jit
def sparse_weight_gradient(values, columns, row_starts, order, start, delta, out):
    """Write the transposed rows ``order[start:]`` of a csr matrix, times ``delta``."""
    out[:] = 0
    for i in range(delta.shape[0]):
        row = order[start + i] if order.shape[0] > 0 else start + i
        for k in range(row_starts[row], row_starts[row + 1]):
            value = values[k]
            column = columns[k]
            for j in range(out.shape[1]):
                out[column, j] += value * delta[i, j]
