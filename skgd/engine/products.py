"""The three matrix products of a layer, and the first layer's over sparse rows."""

from skgd.engine.jit import jit
from skgd.engine.views import vector

__all__ = [
    "column_sums",
    "input_gradient",
    "linear",
    "sparse_linear",
    "sparse_weight_gradient",
    "weight_gradient",
]


@jit
def linear(inputs, weights, bias, out, multiply, room):
    """Write ``inputs @ weights``, and add the bias if there is one."""
    length, columns = weights.shape
    multiply(
        vector(inputs, 0, inputs.size),
        length,
        1,
        vector(weights, 0, weights.size),
        1,
        columns,
        bias,
        vector(out, 0, out.size),
        out.shape[0],
        columns,
        length,
        room,
    )


@jit
def input_gradient(delta, weights, out, multiply, room):
    """Write ``delta @ weights.T``."""
    columns, length = weights.shape
    multiply(
        vector(delta, 0, delta.size),
        length,
        1,
        vector(weights, 0, weights.size),
        length,
        1,
        vector(delta, 0, 0),
        vector(out, 0, out.size),
        out.shape[0],
        columns,
        length,
        room,
    )


@jit
def weight_gradient(inputs, first, delta, out, multiply, room):
    """Write ``inputs.T @ delta``, the rows from ``first`` on that ``out`` has."""
    rows, columns = out.shape
    multiply(
        vector(inputs, first, inputs.size - first),
        1,
        inputs.shape[1],
        vector(delta, 0, delta.size),
        1,
        columns,
        vector(delta, 0, 0),
        vector(out, 0, out.size),
        rows,
        columns,
        delta.shape[0],
        room,
    )


@jit
def column_sums(delta, out, multiply, room):
    """Write the sum of each column: a row of ones times ``delta``."""
    rows, columns = delta.shape
    # A product of one row copies nothing to the room.
    room[0] = 1
    multiply(
        vector(room, 0, 1),
        1,
        0,
        vector(delta, 0, delta.size),
        1,
        columns,
        vector(delta, 0, 0),
        out,
        1,
        columns,
        rows,
        room,
    )


@jit
def sparse_linear(samples, order, start, weights, bias, out):
    """Write the sparse rows ``order[start:]``, times ``weights``, as `linear` does.

    An empty ``order`` stands for the rows as they come.
    """
    for i in range(out.shape[0]):
        row = order[start + i] if order.shape[0] > 0 else start + i
        for j in range(out.shape[1]):
            out[i, j] = bias[j] if bias.shape[0] > 0 else 0
        for k in range(samples.row_starts[row], samples.row_starts[row + 1]):
            value = samples.values[k]
            column = samples.columns[k]
            for j in range(out.shape[1]):
                out[i, j] += value * weights[column, j]


@jit
def sparse_weight_gradient(samples, order, start, delta, out):
    """Write the transposed sparse rows ``order[start:]``, times ``delta``."""
    out[:] = 0
    for i in range(delta.shape[0]):
        row = order[start + i] if order.shape[0] > 0 else start + i
        for k in range(samples.row_starts[row], samples.row_starts[row + 1]):
            value = samples.values[k]
            column = samples.columns[k]
            for j in range(out.shape[1]):
                out[column, j] += value * delta[i, j]
