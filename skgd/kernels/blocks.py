"""The innermost loops of a matrix product, over blocks that stay in registers.

LLVM does not keep a block of a product in registers. Therefore, the intrinsics of this
module write LLVM's instructions themselves. Without the JIT, NumPy computes the same.

A block is ``ROWS`` high. Its width follows from the vectors of the processor
(``vectors.registers``). At the edges of a matrix, a block may be smaller: ``rows`` and
``columns`` are the remaining rows and columns of the matrix.
"""

from typing import Any, NamedTuple

import numpy as np

from skgd.compile.jit import Stub
from skgd.kernels.operands import Shape

__all__ = ["dot_block", "multiply_block", "panel_width", "transpose_block", "vector_length"]

# Rows of a block. Processors start two multiplications per cycle, and each takes 4 cycles:
# at least 8 vectors keep them busy. If fewer rows remain, a block has fewer rows.
ROWS = 6
FEW_ROWS = 2


def _index(operand, i, k):
    """Return the index of element (i, k)."""
    return operand.first + i * operand.row + k * operand.step


def _length(array):
    """Return how many elements of an array fit into a vector."""
    return 16 // array.itemsize


def _width(array):
    """Return how many columns a block has."""
    return 2 * _length(array)


def _multiply(a, b, start, c, shape):
    """Write a block of ``start + a @ b`` to ``c``, and return its number of rows.

    All operands but ``a`` have a step of 1. A ``start`` without data stands for zeros.
    """
    rows, columns, depth = shape
    height = min(rows, ROWS if rows >= ROWS - 1 else FEW_ROWS)
    steps, across = np.arange(depth), np.arange(columns)
    right = b.data[_index(b, steps[:, np.newaxis], across)]
    for i in range(height):
        total = a.data[_index(a, i, steps)] @ right
        if start.data.size > 0:
            total = start.data[_index(start, i, across)] + total
        c.data[_index(c, i, across)] = total
    return height


def _dot(a, b, start, c, shape):
    """Write a block of ``start + a @ b.T`` to ``c``.

    The block has 1, 2 or 4 columns, and at most as many elements as a vector. All operands
    have a step of 1.
    """
    rows, columns, depth = shape
    steps = np.arange(depth)
    for i in range(min(rows, _length(c.data) // columns)):
        for j in range(columns):
            total = a.data[_index(a, i, steps)] @ b.data[_index(b, j, steps)]
            if start.data.size > 0:
                total = start.data[_index(start, i, j)] + total
            c.data[_index(c, i, j)] = total


def _transpose(a, c, rows, columns):
    """Write the transpose of a square whose side is the length of a vector.

    ``rows`` and ``columns`` are those that remain of ``a``. The values that are written
    beyond them are undefined. Both operands have a step of 1.
    """
    length = _length(a.data)
    for i in range(min(length, rows)):
        for j in range(min(length, columns)):
            c.data[_index(c, j, i)] = a.data[_index(a, i, j)]


def _make_constant(value_of):
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def constant(typing_context, array):
        def codegen(context, builder, signature, args):
            return context.get_constant(types.intp, value_of(array.dtype.bitwidth))

        return types.intp(array), codegen

    return constant


def _length_by_width(bits):
    from skgd.kernels.vectors import registers

    return registers()[0] * 8 // bits


def _panel_by_width(bits):
    from skgd.kernels.vectors import registers

    return _length_by_width(bits) * registers()[1]


class _Matrix(NamedTuple):
    """An operand as values of LLVM.

    Attributes
    ----------
    address : llvmlite.ir.Value
        The pointer to the first element.

    row, step : llvmlite.ir.Value
        As in `Operand`.

    size : llvmlite.ir.Value
        The number of elements of the array.
    """

    address: Any
    row: Any
    step: Any
    size: Any


def _unpack(context, builder, kind, value):
    """Return an operand of a Numba type as a `_Matrix`."""
    from skgd.compile.numba_private import cgutils, make_array

    data, first, row, step = cgutils.unpack_tuple(builder, value)
    array = make_array(kind[0])(context, builder, data)
    return _Matrix(builder.gep(array.data, [first]), row, step, array.nitems)


class _Product(NamedTuple):
    """The arguments of `multiply_block` or `dot_block` as values of LLVM."""

    a: _Matrix
    b: _Matrix
    start: _Matrix
    c: _Matrix
    shape: Shape

    @classmethod
    def unpack(cls, context, builder, signature, args):
        """Unpack all arguments."""
        *kinds, _ = signature.args
        *operands, shape = args
        pairs = zip(kinds, operands, strict=True)
        matrices = [_unpack(context, builder, *pair) for pair in pairs]
        members = [builder.extract_value(shape, i) for i in range(len(Shape._fields))]
        return cls._make([*matrices, Shape(*members)])

    def has_start(self, builder):
        """Write the test whether there is a start other than zeros."""
        size = self.start.size
        return builder.icmp_signed("!=", size, size.type(0))


def _choose(builder, value, numbers, write):
    """Write a switch over a value, with a case for each number, written by ``write``."""
    end = builder.append_basic_block("end")
    choice = builder.switch(value, end)
    for number in numbers:
        block = builder.append_basic_block("case")
        choice.add_case(value.type(number), block)
        builder.position_at_end(block)
        write(number)
        builder.branch(end)
    builder.position_at_end(end)


def _row_offsets(builder, rows, row, height):
    """Return the offsets of a block's rows; beyond the edge, that of the last row."""
    last = builder.sub(rows, rows.type(1))
    numbers = [rows.type(i) for i in range(height)]
    numbers = [builder.select(builder.icmp_signed("<", i, rows), i, last) for i in numbers]
    return [builder.mul(i, row) for i in numbers]


def _places(builder, pointer, offsets, lanes):
    return [
        builder.gep(pointer, [builder.add(offset, lane)])
        for offset in offsets
        for lane in lanes
    ]


def _make_multiply():
    from numba import types
    from numba.extending import intrinsic

    from skgd.compile.numba_private import cgutils
    from skgd.kernels.vectors import Sums, Vectors, registers

    def write(builder, vectors, product, height, width, count):
        """Write the instructions for a block of ``height`` rows and ``width`` vectors.

        ``count`` is the number of used lanes in the last vector, or None for all.
        """
        a, b, start, c, (rows, _, depth) = product
        lanes = [depth.type(v * vectors.length) for v in range(width)]
        masks = [None] * width
        if count is not None:
            masks[-1] = vectors.mask(count)

        def places(matrix):
            offsets = _row_offsets(builder, rows, matrix.row, height)
            return _places(builder, matrix.address, offsets, lanes)

        sums = Sums(builder, vectors, height * width)
        with builder.if_then(product.has_start(builder)):
            pairs = zip(places(start), masks * height, strict=True)
            sums.set([vectors.load(*pair) for pair in pairs])
        offsets = _row_offsets(builder, rows, a.row, height)
        with cgutils.for_range(builder, depth) as loop:
            x = builder.gep(a.address, [builder.mul(loop.index, a.step)])
            y = builder.gep(b.address, [builder.mul(loop.index, b.row)])
            pairs = zip([builder.gep(y, [lane]) for lane in lanes], masks, strict=True)
            row = [vectors.load(*pair) for pair in pairs]
            numbers = [builder.load(builder.gep(x, [offset])) for offset in offsets]
            factors = [vectors.repeat(number) for number in numbers]
            sums.add_products([(factor, value) for factor in factors for value in row])
        for triple in zip(sums.get(), places(c), masks * height, strict=True):
            vectors.store(*triple)

    @intrinsic
    def multiply(typing_context, a, b, start, c, shape):
        def codegen(context, builder, signature, args):
            vectors = Vectors(context, builder, c[0].dtype)
            product = _Product.unpack(context, builder, signature, args)
            rows, columns, _ = product.shape
            size, most = registers()
            # The kind of a block is twice its number of vectors, minus 1 if the last vector
            # is masked. With AVX, masks are cheap, and all blocks use one except those as
            # wide as a panel. Without AVX, a mask becomes a branch for each number.
            index, length = columns.type, vectors.length
            width = builder.add(columns, index(length - 1))
            width = builder.sdiv(width, index(length))
            is_masked = builder.icmp_signed(
                "!=", columns, builder.mul(width, index(length))
            )
            kinds = list(range(1, 2 * most + 1))
            if size > 16:
                is_masked = builder.icmp_signed("!=", columns, index(most * length))
                kinds = [*kinds[::2], 2 * most]
            kind = builder.mul(width, index(2))
            kind = builder.sub(kind, builder.zext(is_masked, index))

            def write_rows(height):
                def write_kind(kind):
                    width, count = (kind + 1) // 2, None
                    if kind % 2:
                        count = builder.sub(columns, index((width - 1) * length))
                    write(builder, vectors, product, height, width, count)

                _choose(builder, kind, kinds, write_kind)

            is_high = builder.icmp_signed(">=", rows, index(ROWS - 1))
            with builder.if_else(is_high) as (high, low):
                with high:
                    write_rows(ROWS)
                with low:
                    write_rows(FEW_ROWS)
            return builder.select(is_high, index(ROWS), index(FEW_ROWS))

        return types.intp(a, b, start, c, shape), codegen

    return multiply


def _make_dot():
    from numba import types
    from numba.extending import intrinsic

    from skgd.compile.numba_private import cgutils
    from skgd.kernels.vectors import FUSE, Sums, Vectors

    @intrinsic
    def dot(typing_context, a, b, start, c, shape):
        def codegen(context, builder, signature, args):
            vectors = Vectors(context, builder, c[0].dtype)
            product = _Product.unpack(context, builder, signature, args)
            rows, columns, depth = product.shape
            index, length = depth.type, vectors.length
            has_start = product.has_start(builder)

            def write(width):
                lanes = [index(j) for j in range(width)]

                def places(matrix, lanes):
                    offsets = _row_offsets(builder, rows, matrix.row, length // width)
                    return _places(builder, matrix.address, offsets, lanes)

                across = places(product.a, [index(0)])
                b = product.b
                down = [builder.gep(b.address, [builder.mul(j, b.row)]) for j in lanes]
                sums = Sums(builder, vectors, length)

                def add(k, mask=None):
                    x, y = (
                        [vectors.load(builder.gep(p, [k]), mask) for p in pointers]
                        for pointers in (across, down)
                    )
                    sums.add_products([(row, column) for row in x for column in y])

                rest = builder.srem(depth, index(length))
                whole = builder.sub(depth, rest)
                steps = index(0), whole, index(length)
                with cgutils.for_range_slice(builder, *steps) as (k, _):
                    add(k)
                with builder.if_then(builder.icmp_signed(">", rest, index(0))):
                    add(whole, vectors.mask(rest))
                total = cgutils.alloca_once_value(builder, vectors.sums(sums.get()))
                with builder.if_then(has_start):
                    found = [builder.load(p) for p in places(product.start, lanes)]
                    found = builder.fadd(
                        vectors.join(found), builder.load(total), flags=FUSE
                    )
                    builder.store(found, total)
                numbers = vectors.split(builder.load(total))
                for pair in zip(numbers, places(product.c, lanes), strict=True):
                    builder.store(*pair)

            _choose(builder, columns, [n for n in (1, 2, 4) if n <= length], write)
            return context.get_dummy_value()

        return types.void(a, b, start, c, shape), codegen

    return dot


def _make_transpose():
    from numba import types
    from numba.extending import intrinsic

    from skgd.kernels.vectors import Vectors

    @intrinsic
    def transpose(typing_context, a, c, rows, columns):
        def codegen(context, builder, signature, args):
            vectors = Vectors(context, builder, c[0].dtype)
            pairs = zip((a, c), args[:2], strict=True)
            source, target = [_unpack(context, builder, *pair) for pair in pairs]
            rows, columns = args[2:]
            mask = vectors.mask(columns)
            offsets = _row_offsets(builder, rows, source.row, vectors.length)
            places = _places(builder, source.address, offsets, [rows.type(0)])
            loaded = [vectors.load(place, mask) for place in places]
            for j, column in enumerate(vectors.transpose(loaded)):
                offset = builder.mul(target.row, target.row.type(j))
                vectors.store(column, builder.gep(target.address, [offset]))
            return context.get_dummy_value()

        return types.void(a, c, types.intp, types.intp), codegen

    return transpose


vector_length = Stub(_length, lambda: _make_constant(_length_by_width))
panel_width = Stub(_width, lambda: _make_constant(_panel_by_width))
multiply_block = Stub(_multiply, _make_multiply)
dot_block = Stub(_dot, _make_dot)
transpose_block = Stub(_transpose, _make_transpose)
