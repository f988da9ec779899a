"""The matrix products of a layer."""

from skgd.compile.jit import jit
from skgd.kernels.operands import Operand, Shape
from skgd.kernels.views import elements, vector

__all__ = [
    "column_sums",
    "input_gradient",
    "linear",
    "weight_gradient",
]


@jit
def linear(inputs, weights, bias, out, multiply, scratch):
    """Write ``inputs @ weights + bias``; the bias may be empty."""
    length, columns = weights.shape
    multiply(
        Operand(elements(inputs), 0, length, 1),
        Operand(elements(weights), 0, columns, 1),
        bias,
        vector(out, 0, out.size),
        Shape(out.shape[0], columns, length),
        scratch,
    )


@jit
def input_gradient(delta, weights, out, multiply, scratch):
    """Write ``delta @ weights.T``."""
    columns, length = weights.shape
    multiply(
        Operand(elements(delta), 0, length, 1),
        Operand(elements(weights), 0, 1, length),
        vector(delta, 0, 0),
        vector(out, 0, out.size),
        Shape(out.shape[0], columns, length),
        scratch,
    )


@jit
def weight_gradient(inputs, first, delta, out, multiply, scratch):
    """Write rows of ``inputs.T @ delta`` to ``out``, from row ``first`` on."""
    rows, columns = out.shape
    multiply(
        Operand(elements(inputs), first, 1, inputs.shape[1]),
        Operand(elements(delta), 0, columns, 1),
        vector(delta, 0, 0),
        vector(out, 0, out.size),
        Shape(rows, columns, delta.shape[0]),
        scratch,
    )


@jit
def column_sums(delta, out, multiply, scratch):
    """Write the sum of each column: a row of ones times ``delta``."""
    rows, columns = delta.shape
    # A product of one row does not use the scratch memory.
    scratch[0] = 1
    multiply(
        Operand(elements(scratch), 0, 1, 0),
        Operand(elements(delta), 0, columns, 1),
        vector(delta, 0, 0),
        out,
        Shape(1, columns, rows),
        scratch,
    )
