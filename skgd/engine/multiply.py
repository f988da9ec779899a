"""The product of two matrices, panel by panel.

A panel is as many columns of the result as a block in registers has. For a panel, some rows
of the second matrix fit into the first-level cache while all blocks of the first pass by, as
in K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008;
but what a mini-batch multiplies is small enough to stay in the second-level cache without
being copied. An element of the result is summed in the order of the rows, whatever the size
of the matrices: products of some rows and of all are the same to the last bit.
"""

from skgd.engine.jit import jit
from skgd.engine.blocks import (
    dot_block,
    multiply_block,
    panel_width,
    transpose_block,
    vector_length,
)
from skgd.engine.views import vector

__all__ = ["ROOM", "multiply"]

# Rows of a panel that are multiplied at a time.
DEPTH = 256

# A copy of them, and the blocks of a narrow result.
ROOM = (DEPTH + 16) * 64

# Bytes of a row from which on the rows of a panel evict each other from the first-level
# cache; and rows of the result for which it is then worth while to copy them.
FAR = 2048
MANY = 24


@jit
def _copy(b, first, step, depth, columns, width, out):
    for k in range(depth):
        source = vector(b, first + k * step, columns)
        target = vector(out, k * width, columns)
        for j in range(columns):
            target[j] = source[j]


@jit
def _copy_transposed(b, first, row, depth, columns, width, out):
    length = vector_length(out)
    for j in range(0, columns, length):
        for k in range(0, depth, length):
            transpose_block(
                b,
                first + j * row + k,
                row,
                columns - j,
                depth - k,
                out,
                k * width + j,
                width,
            )


@jit
def _multiply_by_few(a, a_row, b, b_column, b_step, bias, c, rows, columns, depth, room):
    """Write a product of few columns, as sums along the rows of both matrices."""
    length = vector_length(c)
    for first in range(0, depth, DEPTH):
        steps = min(DEPTH, depth - first)
        source, b_first, b_row = b, first, b_column
        if b_column == 1:
            _copy_transposed(b, first * b_step, b_step, columns, steps, DEPTH, room)
            source, b_first, b_row = room, 0, DEPTH
        start, start_row = bias, 0
        if first > 0:
            start, start_row = c, columns
        j = 0
        while j < columns:
            n = min(4, length) if columns - j >= 4 else min(2, columns - j)
            for i in range(0, rows, length // n):
                dot_block(
                    a,
                    i * a_row + first,
                    a_row,
                    source,
                    b_first + j * b_row,
                    b_row,
                    steps,
                    start,
                    i * start_row + j,
                    start_row,
                    c,
                    i * columns + j,
                    columns,
                    rows - i,
                    n,
                )
            j += n


@jit
def _multiply(
    a,
    a_row,
    a_step,
    b,
    b_column,
    b_step,
    bias,
    c,
    is_transposed,
    rows,
    columns,
    depth,
    room,
):
    """Write a product panel by panel, or its transpose."""
    width = panel_width(c)
    copy = rows >= MANY and columns * c.itemsize >= FAR
    for j in range(0, columns, width):
        n = min(width, columns - j)
        out, place, row = c, j, columns
        if is_transposed:
            out, place, row = room, DEPTH * width, width
        for first in range(0, depth, DEPTH):
            length = min(DEPTH, depth - first)
            panel, b_first, step = b, first * b_step + j * b_column, b_step
            if b_column > 1:
                _copy_transposed(b, b_first, b_column, length, n, width, room)
            elif copy:
                _copy(b, b_first, b_step, length, n, width, room)
            if b_column > 1 or copy:
                panel, b_first, step = room, 0, width
            start, start_first, start_row = bias, j, 0
            if first > 0:
                start, start_first, start_row = out, place, row
            i = 0
            while i < rows:
                i += multiply_block(
                    a,
                    i * a_row + first * a_step,
                    a_row,
                    a_step,
                    panel,
                    b_first,
                    step,
                    length,
                    start,
                    start_first + i * start_row,
                    start_row,
                    out,
                    place + i * row,
                    row,
                    rows - i,
                    n,
                )
        if is_transposed:
            for i in range(rows):
                for k in range(n):
                    c[(j + k) * rows + i] = room[place + i * row + k]


@jit
def multiply(a, a_row, a_step, b, b_column, b_step, bias, c, rows, columns, depth, room):
    """Write a product to ``c``.

    Parameters
    ----------
    a, a_row, a_step : ndarray of shape (n,), and int
        The first matrix: of element (i, k) the index is ``i * a_row + k * a_step``. One of
        the two is 1.

    b, b_column, b_step : ndarray of shape (n,), and int
        The second, likewise: of element (k, j) it is ``k * b_step + j * b_column``.

    bias : ndarray of shape (columns,) or (0,)
        Added to each row. There is none where ``a_step`` is not 1.

    c : ndarray of shape (rows * columns,)
        Takes the product, row by row.

    rows, columns, depth : int
        The shape of the product, and the length of the sums.

    room : ndarray of shape (ROOM,)
        Written to.
    """
    few = columns <= vector_length(c)
    if few and a_step == 1:
        _multiply_by_few(a, a_row, b, b_column, b_step, bias, c, rows, columns, depth, room)
        return
    is_transposed = few and columns < rows
    if is_transposed:
        a, a_row, a_step, b, b_column, b_step = b, b_column, b_step, a, a_row, a_step
        rows, columns = columns, rows
    _multiply(
        a,
        a_row,
        a_step,
        b,
        b_column,
        b_step,
        bias,
        c,
        is_transposed and rows > 1,
        rows,
        columns,
        depth,
        room,
    )


def bind(T):
    """Compile the product for the Numba dtype ``T``."""
    from numba import types

    source = types.Array(T, 1, "C", readonly=True)
    target = types.Array(T, 1, "C")
    n = types.intp
    left, right = (source, n, n), (source, n, n)
    return multiply.bind(types.void, *left, *right, source, target, n, n, n, target)
