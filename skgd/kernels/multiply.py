"""The product of two matrices, and the choice of the kernel that computes it.

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

    The sizes: a block has 6 rows, or 2 (blocks.py), of 2 or 4 vectors, which registers
    (vectors.py) decides for the processor. DEPTH below is the 256 rows.

A panel is a part of the result, as wide as a block. For each panel, some rows of ``b`` stay
in the first-level cache while all blocks of ``a`` are multiplied with them, as in K. Goto
and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008. But these
rows are copied only if they are far apart in memory, since the matrices of a mini-batch
stay in the second-level cache.

Each element is summed in the same order, regardless of which other rows are computed.
Products of some rows are bitwise equal to those of all rows.
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

# The architectures for which `registers` has tuned sizes.
TUNED = ("x86_64", "amd64", "i386", "i686", "arm64", "aarch64")

# The most terms of a sum that are added at once.
DEPTH = 256

# The numbers in scratch memory: for a copy of the widest panel, and for its product.
SCRATCH_SIZE = (DEPTH + 16) * 64

# A panel is copied if its rows are at least so many bytes apart in memory, since they would
# evict each other from the first-level cache, and if the result has at least so many rows.
FAR = 2048
MANY = 24


@strict_jit
def _copy(b, rows, columns, width, out):
    """Copy a part of a matrix to ``out``, whose rows have the length ``width``."""
    for k in range(rows):
        source = vector(b.data, b.first + k * b.row, columns)
        target = vector(out, k * width, columns)
        for j in range(columns):
            target[j] = source[j]


@strict_jit
def _copy_transposed(b, rows, columns, width, out):
    """Copy the transpose of a part of a matrix to ``out``, in rows of length ``width``."""
    length = vector_length(out)
    target = Operand(out, 0, width, 1)
    for i in range(0, rows, length):
        for j in range(0, columns, length):
            transpose_block(part(b, i, j), part(target, j, i), rows - i, columns - j)


@strict_jit
def _multiply_by_few(a, b, bias, out, shape, scratch):
    """Write a product of few columns, with vectors along the sums."""
    rows, columns, depth = shape
    target = Operand(out, 0, columns, 1)
    for first in range(0, depth, DEPTH):
        length = min(DEPTH, depth - first)
        right = transposed(part(b, first, 0))
        if b.step == 1:
            _copy_transposed(part(b, first, 0), length, columns, DEPTH, scratch)
            right = Operand(elements(scratch), 0, DEPTH, 1)
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
def _multiply_panels(a, b, bias, out, shape, is_across, scratch):
    """Write a product or, if ``is_across``, its transpose."""
    rows, columns, depth = shape
    width = panel_width(out)
    copy = rows >= MANY and columns * out.itemsize >= FAR
    for j in range(0, columns, width):
        n = min(width, columns - j)
        target = Operand(out, j, columns, 1)
        if is_across:
            target = Operand(scratch, DEPTH * width, width, 1)
        for first in range(0, depth, DEPTH):
            length = min(DEPTH, depth - first)
            panel = part(b, first, j)
            if b.step > 1:
                _copy_transposed(transposed(panel), n, length, width, scratch)
            elif copy:
                _copy(panel, length, n, width, scratch)
            if b.step > 1 or copy:
                panel = Operand(elements(scratch), 0, width, 1)
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
                    out[(j + k) * rows + i] = scratch[target.first + i * width + k]


@strict_jit
def multiply(a, b, bias, out, shape, scratch):
    """Write a product to ``out``.

    Parameters
    ----------
    a, b : Operand
        The two matrices.

    bias : ndarray of shape (columns,) or (0,)
        Added to each row. It must be empty if ``a.step`` is not 1.

    out : ndarray of shape (rows * columns,)
        Output: the product, row by row.

    shape : Shape
        The shape of the product, and the length of the sums.

    scratch : ndarray of shape (SCRATCH_SIZE,)
        Scratch memory.
    """
    rows, columns, depth = shape
    few = columns <= vector_length(out)
    if few and a.step == 1:
        _multiply_by_few(a, b, bias, out, shape, scratch)
        return
    # A single column need not be transposed back.
    is_across = few and 1 < columns < rows
    if few and columns < rows:
        a, b, shape = transposed(b), transposed(a), Shape(columns, rows, depth)
    _multiply_panels(a, b, bias, out, shape, is_across, scratch)


@strict_jit
def multiply_plain(a, b, bias, out, shape, scratch):
    """Write a product to ``out`` with plain loops. The arguments are as in `multiply`."""
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
    """Return the kernel that computes products in this process."""
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
