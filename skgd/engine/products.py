"""The three matrix products of a layer, and the first layer's over sparse rows."""

import numpy as np

from skgd.engine.jit import Stub, jit

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
def input_gradient(delta, weights, out):
    """Write ``delta @ weights.T``."""
    if weights.shape[1] == 1:
        # One output: an outer product, which takes BLAS twice the time.
        row = weights.reshape(-1)
        for i in range(out.shape[0]):
            for j in range(out.shape[1]):
                out[i, j] = delta[i, 0] * row[j]
    else:
        np.dot(delta, weights.T, out)


@jit
def weight_gradient(inputs, first, delta, out):
    """Write ``inputs.T @ delta``, the rows from ``first`` on that ``out`` has."""
    _transposed_product(inputs, first, delta, out)


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
