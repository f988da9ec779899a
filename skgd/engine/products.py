"""The three matrix products of a layer, and the first layer's over sparse rows."""

from skgd.engine.jit import jit
from skgd.engine.operands import Operand, Shape
from skgd.engine.views import elements, vector

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
        Operand(elements(inputs), 0, length, 1),
        Operand(elements(weights), 0, columns, 1),
        bias,
        vector(out, 0, out.size),
        Shape(out.shape[0], columns, length),
        room,
    )


@jit
def input_gradient(delta, weights, out, multiply, room):
    """Write ``delta @ weights.T``."""
    columns, length = weights.shape
    multiply(
        Operand(elements(delta), 0, length, 1),
        Operand(elements(weights), 0, 1, length),
        vector(delta, 0, 0),
        vector(out, 0, out.size),
        Shape(out.shape[0], columns, length),
        room,
    )


@jit
def weight_gradient(inputs, first, delta, out, multiply, room):
    """Write ``inputs.T @ delta``, the rows from ``first`` on that ``out`` has."""
    rows, columns = out.shape
    multiply(
        Operand(elements(inputs), first, 1, inputs.shape[1]),
        Operand(elements(delta), 0, columns, 1),
        vector(delta, 0, 0),
        vector(out, 0, out.size),
        Shape(rows, columns, delta.shape[0]),
        room,
    )


@jit
def column_sums(delta, out, multiply, room):
    """Write the sum of each column: a row of ones times ``delta``."""
    rows, columns = delta.shape
    # A product of one row copies nothing to the room.
    room[0] = 1
    multiply(
        Operand(elements(room), 0, 1, 0),
        Operand(elements(delta), 0, columns, 1),
        vector(delta, 0, 0),
        out,
        Shape(1, columns, rows),
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
