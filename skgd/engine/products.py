"""The three matrix products of a layer, and the first layer's over sparse rows.

Square products are BLAS's. It is slow where a side is thin, as with the few outputs of a
last layer: those are plain loops along the long side, over the transposed weights.
"""

import numpy as np

from skgd.engine.jit import Stub, jit
from skgd.engine.views import matrix

__all__ = [
    "THIN",
    "column_sums",
    "input_gradient",
    "linear",
    "sparse_linear",
    "sparse_weight_gradient",
    "weight_gradient",
]

# With up to so many outputs the loops below are faster than OpenBLAS.
THIN = 8


@jit
def _transpose(weights, out):
    for i in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            out[j, i] = weights[i, j]


@jit
def linear(inputs, weights, scratch, out):
    """Write ``inputs @ weights``; ``scratch`` is room for thin weights."""
    if weights.shape[1] > THIN:
        np.dot(inputs, weights, out)
        return
    transposed = matrix(scratch, 0, weights.shape[1], weights.shape[0])
    _transpose(weights, transposed)
    for i in range(inputs.shape[0]):
        for j in range(weights.shape[1]):
            total = out.dtype.type(0)
            for k in range(inputs.shape[1]):
                total += inputs[i, k] * transposed[j, k]
            out[i, j] = total


@jit
def input_gradient(delta, weights, scratch, out):
    """Write ``delta @ weights.T``; ``scratch`` is room for thin weights."""
    if weights.shape[1] > THIN:
        np.dot(delta, weights.T, out)
        return
    transposed = matrix(scratch, 0, weights.shape[1], weights.shape[0])
    _transpose(weights, transposed)
    for i in range(delta.shape[0]):
        for k in range(weights.shape[0]):
            out[i, k] = delta[i, 0] * transposed[0, k]
        for j in range(1, weights.shape[1]):
            for k in range(weights.shape[0]):
                out[i, k] += delta[i, j] * transposed[j, k]


@jit
def weight_gradient(inputs, first, delta, scratch, out):
    """Write ``inputs.T @ delta``, the rows from ``first`` on that ``out`` has."""
    if delta.shape[1] > THIN:
        _transposed_product(inputs, first, delta, out)
        return
    rows, columns = out.shape
    transposed = matrix(scratch, 0, columns, rows)
    for j in range(columns):
        for k in range(rows):
            transposed[j, k] = 0
    for i in range(delta.shape[0]):
        for j in range(columns):
            for k in range(rows):
                transposed[j, k] += delta[i, j] * inputs[i, first + k]
    for j in range(columns):
        for k in range(rows):
            out[k, j] = transposed[j, k]


def _slice_product(inputs, first, delta, out):
    np.dot(inputs[:, first : first + out.shape[0]].T, delta, out)


def _make_transposed_product():
    from llvmlite import ir
    from numba import float32, types
    from numba.core import cgutils
    from numba.extending import intrinsic
    from numba.np.arrayobj import make_array

    # np.dot asks for contiguous arrays. The BLAS routine that Numba calls for it takes
    # some columns of an array as well.
    @intrinsic
    def product(typing_context, inputs, first, delta, out):
        def codegen(context, builder, signature, args):
            a = make_array(inputs)(context, builder, args[0])
            b = make_array(delta)(context, builder, args[2])
            c = make_array(out)(context, builder, args[3])
            char, integer, pointer = ir.IntType(8), ir.IntType(64), cgutils.voidptr_t
            gemm = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(
                    ir.IntType(32),
                    [char] * 3
                    + [integer] * 3
                    + [pointer, pointer, integer, pointer, integer, pointer]
                    + [pointer, integer],
                ),
                "numba_xxgemm",
            )

            def scalar(value):
                return cgutils.alloca_once_value(
                    builder, context.get_constant(inputs.dtype, value)
                )

            def void(p):
                return builder.bitcast(p, pointer)

            rows, columns = cgutils.unpack_tuple(builder, c.shape, 2)
            length, width = cgutils.unpack_tuple(builder, a.shape, 2)
            kind = "s" if inputs.dtype == float32 else "d"
            # BLAS counts by columns: out.T = delta.T @ inputs[:, first:].
            builder.call(
                gemm,
                [
                    *(char(ord(letter)) for letter in (kind, "n", "t")),
                    columns,
                    rows,
                    length,
                    void(scalar(1.0)),
                    void(b.data),
                    columns,
                    void(builder.gep(a.data, [args[1]])),
                    width,
                    void(scalar(0.0)),
                    void(c.data),
                    columns,
                ],
            )
            return context.get_dummy_value()

        return types.void(inputs, types.intp, delta, out), codegen

    return product


_transposed_product = Stub(_slice_product, _make_transposed_product)


@jit
def column_sums(delta, out):
    """Write the sum of each column."""
    out[:] = 0
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            out[j] += delta[i, j]


@jit
def sparse_linear(samples, order, start, weights, out):
    """Write the sparse rows ``order[start:]``, times ``weights``.

    An empty ``order`` stands for the rows as they come.
    """
    for i in range(out.shape[0]):
        row = order[start + i] if order.shape[0] > 0 else start + i
        for j in range(out.shape[1]):
            out[i, j] = 0
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
