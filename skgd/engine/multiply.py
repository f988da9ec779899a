"""The product of two matrices, panel by panel.

A panel is as many columns of the result as a block has that stays in registers. Some rows
of the second matrix's part of it fit into the first-level cache while all blocks of the
first matrix pass by, as in K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix
Multiplication", 2008. But what a mini-batch multiplies is small enough to stay in the
second-level cache, and is copied only where its rows are too far apart.

An element is summed in the same order whatever the rows beside it: products of some rows
and of all are the same to the last bit.
"""

from skgd.engine.blocks import (
    dot_block,
    multiply_block,
    panel_width,
    transpose_block,
    vector_length,
)
from skgd.engine.jit import strict_jit
from skgd.engine.views import vector

__all__ = ["DEPTH", "FAR", "ROOM", "bind", "multiply"]

# The length of the sums that are taken at a time.
DEPTH = 256

# For so many rows of the widest panel, and as many as the longest vector has numbers.
ROOM = (DEPTH + 16) * 64

# The bytes of a row from which on the rows of a panel evict each other from the first-level
# cache; and the rows of the result from which on it is worth while to copy them.
FAR = 2048
MANY = 24


@strict_jit
def _copy(b, first, row, rows, columns, width, out):
    """Copy a part of a matrix to the rows of ``out``, of length ``width``."""
    for k in range(rows):
        source = vector(b, first + k * row, columns)
        target = vector(out, k * width, columns)
        for j in range(columns):
            target[j] = source[j]


@strict_jit
def _copy_transposed(b, first, row, rows, columns, width, out):
    """Copy its transpose, likewise."""
    length = vector_length(out)
    for i in range(0, rows, length):
        for j in range(0, columns, length):
            transpose_block(
                b,
                first + i * row + j,
                row,
                rows - i,
                columns - j,
                out,
                j * width + i,
                width,
            )


@strict_jit
def _multiply_by_few(a, a_row, b, b_column, b_step, bias, c, rows, columns, depth, room):
    """Write a product of few columns: vectors are along the sums."""
    for first in range(0, depth, DEPTH):
        length = min(DEPTH, depth - first)
        transposed, b_first, b_row = b, first, b_column
        if b_column == 1:
            _copy_transposed(b, first * b_step, b_step, length, columns, DEPTH, room)
            transposed, b_first, b_row = room, 0, DEPTH
        start, start_row = bias, 0
        if first > 0:
            start, start_row = c, columns
        j = 0
        while j < columns:
            n = min(2, columns - j)
            if columns - j >= 4:
                n = min(4, vector_length(c))
            for i in range(0, rows, vector_length(c) // n):
                dot_block(
                    a,
                    i * a_row + first,
                    a_row,
                    transposed,
                    b_first + j * b_row,
                    b_row,
                    length,
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


@strict_jit
def _multiply_panels(
    a, a_row, a_step, b, b_column, b_step, bias, c, rows, columns, depth, is_across, room
):
    """Write a product or, where it ``is_across``, its transpose."""
    width = panel_width(c)
    copy = rows >= MANY and columns * c.itemsize >= FAR
    for j in range(0, columns, width):
        n = min(width, columns - j)
        out, out_first, out_row = c, j, columns
        if is_across:
            out, out_first, out_row = room, DEPTH * width, width
        for first in range(0, depth, DEPTH):
            length = min(DEPTH, depth - first)
            panel, b_first, b_row = b, first * b_step + j * b_column, b_step
            if b_column > 1:
                _copy_transposed(b, b_first, b_column, n, length, width, room)
            elif copy:
                _copy(b, b_first, b_step, length, n, width, room)
            if b_column > 1 or copy:
                panel, b_first, b_row = room, 0, width
            start, start_first, start_row = bias, j, 0
            if first > 0:
                start, start_first, start_row = out, out_first, out_row
            i = 0
            while i < rows:
                i += multiply_block(
                    a,
                    i * a_row + first * a_step,
                    a_row,
                    a_step,
                    panel,
                    b_first,
                    b_row,
                    length,
                    start,
                    start_first + i * start_row,
                    start_row,
                    out,
                    out_first + i * out_row,
                    out_row,
                    rows - i,
                    n,
                )
        if is_across:
            for i in range(rows):
                for k in range(n):
                    c[(j + k) * rows + i] = room[out_first + i * out_row + k]


@strict_jit
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
        What the sums of each row start from. There is none where ``a_step`` is not 1.

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
    is_across = few and columns < rows
    if is_across:
        a, a_row, a_step, b, b_column, b_step = b, b_column, b_step, a, a_row, a_step
        rows, columns = columns, rows
    _multiply_panels(
        a,
        a_row,
        a_step,
        b,
        b_column,
        b_step,
        bias,
        c,
        rows,
        columns,
        depth,
        # A single row is a column, too.
        is_across and rows > 1,
        room,
    )


def bind(T):
    """Compile the product for the Numba dtype ``T``."""
    from numba import types

    source, target = types.Array(T, 1, "C", readonly=True), types.Array(T, 1, "C")
    n = types.intp
    matrices = (source, n, n, source, n, n, source, target)
    return multiply.bind(types.void, *matrices, n, n, n, target)
