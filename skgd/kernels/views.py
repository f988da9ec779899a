"""Views into flat arrays, without the checks of a slice.

All parameters of a network are in one flat array, and so are the intermediate results of a
mini-batch. A slice checks whether its bounds are negative or too large; these views do not.
Kernels do not count references to arrays (:mod:`skgd.compile.numba_private`): the Python
code that calls a kernel keeps the flat arrays alive.
"""

from itertools import accumulate

import numpy as np

from skgd.compile.jit import Stub, jit

__all__ = ["aligned", "elements", "matrix", "row_of", "vector"]


# The bytes of a cache line, and of the widest vector.
LINE = 64


def aligned(lengths, dtype):
    """Make arrays in one piece of memory that each begin at a cache line."""
    line = LINE // np.dtype(dtype).itemsize
    sizes = [-(-length // line) * line for length in lengths]
    memory = np.empty(sum(sizes) + line, dtype=dtype)
    first = -memory.__array_interface__["data"][0] % LINE // memory.itemsize
    starts = accumulate(sizes, initial=first)
    return [memory[i : i + n] for i, n in zip(starts, lengths, strict=False)]


def _slice_vector(flat, offset, size):
    return flat.reshape(-1)[offset : offset + size]


def _slice_matrix(flat, offset, rows, columns):
    return flat.reshape(-1)[offset : offset + rows * columns].reshape(rows, columns)


def _elements(array):
    return array.reshape(-1)


def _make_elements():
    from numba import types
    from numba.extending import intrinsic

    from skgd.compile.numba_private import make_array, populate_array

    @intrinsic
    def view(typing_context, array):
        """Return a flat, read-only view of a C-ordered array."""
        flat = types.Array(array.dtype, 1, "C", readonly=True)

        def codegen(context, builder, signature, args):
            source = make_array(array)(context, builder, args[0])
            target = make_array(flat)(context, builder)
            populate_array(
                target,
                data=source.data,
                shape=[source.nitems],
                strides=[source.itemsize],
                itemsize=source.itemsize,
                meminfo=None,
            )
            return target._getvalue()

        return flat(array), codegen

    return view


def _make_vector():
    from numba import config, njit
    from numba.extending import intrinsic

    # Numba's bounds checks would not check a view against its array: use a slice.
    if config.BOUNDSCHECK:
        return njit(_slice_vector)

    @intrinsic
    def view(typing_context, flat, offset, size):
        return _typed_view(flat, ndim=1)

    return view


def _make_matrix():
    from numba import config, njit
    from numba.extending import intrinsic

    if config.BOUNDSCHECK:
        return njit(_slice_matrix)

    @intrinsic
    def view(typing_context, flat, offset, rows, columns):
        return _typed_view(flat, ndim=2)

    return view


def _typed_view(flat, ndim):
    """Return the signature and the code generator of a view into ``flat``."""
    from numba import types

    from skgd.compile.numba_private import make_array, populate_array

    view = types.Array(flat.dtype, ndim, "C", readonly=not flat.mutable)

    def codegen(context, builder, signature, args):
        buffer, offset, *shape = args
        source = make_array(flat)(context, builder, buffer)
        array = make_array(view)(context, builder)
        strides = [source.itemsize]
        if ndim == 2:
            strides.insert(0, builder.mul(shape[1], source.itemsize))
        populate_array(
            array,
            data=builder.gep(source.data, [offset]),
            shape=shape,
            strides=strides,
            itemsize=source.itemsize,
            meminfo=None,
        )
        return array._getvalue()

    return view(flat, *[types.intp] * (1 + ndim)), codegen


@jit
def row_of(order, i):
    """Return element ``i`` of a permutation. An empty one stands for no permutation."""
    return order[i] if order.shape[0] > 0 else i


elements = Stub(_elements, _make_elements)
vector = Stub(_slice_vector, _make_vector)
matrix = Stub(_slice_matrix, _make_matrix)
