"""The product of two matrices, and which kernel computes it.

::

    SKGD_PLAIN_PRODUCTS=1, or a processor without tuned blocks
      |-- yes: multiply_plain, three loops
      no
      |
    multiply: at most a vector of columns
      |-- no:  panels
      yes
      |-- rows of a are contiguous: vectors along the sums (dot_block)
      |-- otherwise: panels of the transposed product

              out        =       a       @         b
      +-----+-----+--+       +-------+       +-----+-----+--+
      |block|     |  |       |6 rows |       |     |     |  |
      +-----+     |  |       +-------+       |panel|     |  |  256 rows at a time
      |     |     |  |       |       |       |     |     |  |
      +-----+-----+--+       +-------+       +-----+-----+--+

    A block is 6 rows, or 2, of 2 or 4 vectors (blocks.py). How long vectors are, and how
    many of them: registers (vectors.py).

A panel is as many columns of the result as a block has that stays in registers. Some rows
of the second matrix's part of it fit into the first-level cache while all blocks of the
first matrix pass by, as in K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix
Multiplication", 2008. But what a mini-batch multiplies is small enough to stay in the
second-level cache, and is copied only where its rows are too far apart.

An element is summed in the same order whatever the rows beside it: products of some rows
and of all are the same to the last bit.
"""

import platform

from skgd.compile.environment import is_set
from skgd.compile.jit import strict_jit
from skgd.kernels.blocks import (
    dot_block,
    multiply_block,
    panel_width,
    transpose_block,
    vector_length,
)
from skgd.kernels.operands import Operand, Shape, part, transposed
from skgd.kernels.views import elements, vector

__all__ = ["DEPTH", "FAR", "SCRATCH_SIZE", "bind", "choose", "multiply", "multiply_plain"]

# The architectures whose vectors and blocks `registers` knows.
TUNED = ("x86_64", "amd64", "i386", "i686", "arm64", "aarch64")

# The length of the sums that are taken at a time.
DEPTH = 256

# For so many rows of the widest panel, and as many as the longest vector has numbers.
SCRATCH_SIZE = (DEPTH + 16) * 64

# The bytes of a row from which on the rows of a panel evict each other from the first-level
# cache; and the rows of the result from which on it is worth while to copy them.
FAR = 2048
MANY = 24


@strict_jit
def _copy(b, rows, columns, width, out):
    """Copy a part of a matrix to the rows of ``out``, of length ``width``."""
    for k in range(rows):
        source = vector(b.data, b.first + k * b.row, columns)
        target = vector(out, k * width, columns)
        for j in range(columns):
            target[j] = source[j]


@strict_jit
def _copy_transposed(b, rows, columns, width, out):
    """Copy its transpose, likewise."""
    length = vector_length(out)
    target = Operand(out, 0, width, 1)
    for i in range(0, rows, length):
        for j in range(0, columns, length):
            transpose_block(part(b, i, j), part(target, j, i), rows - i, columns - j)


@strict_jit
def _multiply_by_few(a, b, bias, out, shape, room):
    """Write a product of few columns: vectors are along the sums."""
    rows, columns, depth = shape
    target = Operand(out, 0, columns, 1)
    for first in range(0, depth, DEPTH):
        length = min(DEPTH, depth - first)
        right = transposed(part(b, first, 0))
        if b.step == 1:
            _copy_transposed(part(b, first, 0), length, columns, DEPTH, room)
            right = Operand(elements(room), 0, DEPTH, 1)
        start = Operand(elements(bias), 0, 0, 1)
        if first > 0:
            start = Operand(elements(out), 0, columns, 1)
        j = 0
        while j < columns:
            n = min(2, columns - j)
            if columns - j >= 4:
                n = min(4, vector_length(out))
            for i in range(0, rows, vector_length(out) // n):
                dot_block(
                    part(a, i, first),
                    part(right, j, 0),
                    part(start, i, j),
                    part(target, i, j),
                    Shape(rows - i, n, length),
                )
            j += n


@strict_jit
def _multiply_panels(a, b, bias, out, shape, is_across, room):
    """Write a product or, where it ``is_across``, its transpose."""
    rows, columns, depth = shape
    width = panel_width(out)
    copy = rows >= MANY and columns * out.itemsize >= FAR
    for j in range(0, columns, width):
        n = min(width, columns - j)
        target = Operand(out, j, columns, 1)
        if is_across:
            target = Operand(room, DEPTH * width, width, 1)
        for first in range(0, depth, DEPTH):
            length = min(DEPTH, depth - first)
            panel = part(b, first, j)
            if b.step > 1:
                _copy_transposed(transposed(panel), n, length, width, room)
            elif copy:
                _copy(panel, length, n, width, room)
            if b.step > 1 or copy:
                panel = Operand(elements(room), 0, width, 1)
            start = Operand(elements(bias), j, 0, 1)
            if first > 0:
                start = Operand(elements(target.data), target.first, target.row, 1)
            i = 0
            while i < rows:
                i += multiply_block(
                    part(a, i, first),
                    panel,
                    part(start, i, 0),
                    part(target, i, 0),
                    Shape(rows - i, n, length),
                )
        if is_across:
            for i in range(rows):
                for k in range(n):
                    out[(j + k) * rows + i] = room[target.first + i * width + k]


@strict_jit
def multiply(a, b, bias, out, shape, room):
    """Write a product to ``out``.

    Parameters
    ----------
    a, b : Operand
        The two matrices.

    bias : ndarray of shape (columns,) or (0,)
        What the sums of each row start from. There is none where ``a.step`` is not 1.

    out : ndarray of shape (rows * columns,)
        Takes the product, row by row.

    shape : Shape
        The shape of the product, and the length of the sums.

    room : ndarray of shape (SCRATCH_SIZE,)
        Written to.
    """
    rows, columns, depth = shape
    few = columns <= vector_length(out)
    if few and a.step == 1:
        _multiply_by_few(a, b, bias, out, shape, room)
        return
    # A single row is a column, too.
    is_across = few and 1 < columns < rows
    if few and columns < rows:
        a, b, shape = transposed(b), transposed(a), Shape(columns, rows, depth)
    _multiply_panels(a, b, bias, out, shape, is_across, room)


@strict_jit
def multiply_plain(a, b, bias, out, shape, room):
    """Write a product to ``out`` by loops, without blocks; as :func:`multiply`."""
    rows, columns, depth = shape
    for i in range(rows):
        row = vector(out, i * columns, columns)
        for j in range(columns):
            row[j] = bias[j] if bias.shape[0] > 0 else 0
        for k in range(depth):
            factor = a.data[a.first + i * a.row + k * a.step]
            first = b.first + k * b.row
            if b.step == 1:
                # This loop vectorizes.
                source = vector(b.data, first, columns)
                for j in range(columns):
                    row[j] += factor * source[j]
            else:
                for j in range(columns):
                    row[j] += factor * b.data[first + j * b.step]


def choose():
    """Return the kernel of products for this process."""
    is_tuned = platform.machine().lower() in TUNED
    is_plain = is_set("SKGD_PLAIN_PRODUCTS", default="0" if is_tuned else "1")
    return multiply_plain if is_plain else multiply


def bind(T):
    """Compile the product for the Numba dtype ``T``."""
    from numba import types

    n = types.intp
    source, target = types.Array(T, 1, "C", readonly=True), types.Array(T, 1, "C")
    operand = types.BaseTuple.from_types((source, n, n, n), Operand)
    shape = types.BaseTuple.from_types((n, n, n), Shape)
    return choose().bind(types.void, operand, operand, source, target, shape, target)
