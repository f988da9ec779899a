"""The innermost parts of a product of matrices: blocks that stay in registers.

LLVM vectorises loops, but of a product it keeps no block in registers, so that what is made
here are its instructions. Where Numba compiles nothing, NumPy does the same.

All arrays are flat: of element (i, k) of a matrix the index is
``first + i * row + k * step``, where a step that is not given is 1. At the edges of a
matrix a block may be smaller: ``rows`` and ``columns`` are those that remain of it.
"""

import numpy as np

from skgd.engine.jit import Stub

__all__ = ["dot_block", "multiply_block", "panel_width", "transpose_block", "vector_length"]

# Rows of a block: two multiplications in each cycle, of which each takes 4, are busy with 8
# vectors or more. If fewer rows remain, blocks are of less.
ROWS = 6
FEW_ROWS = 2


def _length(array):
    """Return how many elements of an array are a vector."""
    return 16 // array.itemsize


def _width(array):
    """Return how many columns a block has."""
    return 2 * _length(array)


def _multiply(
    a,
    a_first,
    a_row,
    a_step,
    b,
    b_first,
    b_row,
    depth,
    start,
    start_first,
    start_row,
    c,
    c_first,
    c_row,
    rows,
    columns,
):
    """Write a block of ``start + a @ b`` to ``c``, and return how many rows it has.

    ``depth`` is the length of the sums. An empty ``start`` stands for zeros.
    """
    height = min(rows, ROWS if rows >= ROWS - 1 else FEW_ROWS)
    steps, across = np.arange(depth), np.arange(columns)
    for i in range(height):
        row = a[a_first + i * a_row + steps * a_step]
        total = row @ b[b_first + steps[:, np.newaxis] * b_row + across]
        if start.size > 0:
            total = start[start_first + i * start_row + across] + total
        c[c_first + i * c_row + across] = total
    return height


def _dot(
    a,
    a_first,
    a_row,
    b,
    b_first,
    b_row,
    depth,
    start,
    start_first,
    start_row,
    c,
    c_first,
    c_row,
    rows,
    columns,
):
    """Write a block of ``start + a @ b.T``, of 1, 2 or 4 columns.

    It has as many elements as a vector, or less.
    """
    for i in range(min(rows, _length(c) // columns)):
        row = a[a_first + i * a_row : a_first + i * a_row + depth]
        for j in range(columns):
            total = row @ b[b_first + j * b_row : b_first + j * b_row + depth]
            if start.size > 0:
                total = start[start_first + i * start_row + j] + total
            c[c_first + i * c_row + j] = total


def _transpose(a, a_first, a_row, rows, columns, c, c_first, c_row):
    """Write the transpose of a square as wide as a vector.

    Beyond the edges, anything may be written within the square.
    """
    length = _length(a)
    for i in range(min(length, rows)):
        for j in range(min(length, columns)):
            c[c_first + j * c_row + i] = a[a_first + i * a_row + j]


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
    from skgd.engine.vectors import registers

    return registers()[0] * 8 // bits


def _panel_by_width(bits):
    from skgd.engine.vectors import registers

    return _length_by_width(bits) * registers()[1]


def _at(context, builder, array, value, first):
    """Return the pointer to an element."""
    from numba.np.arrayobj import make_array

    return builder.gep(make_array(array)(context, builder, value).data, [first])


def _is_empty(context, builder, array, value):
    from numba.np.arrayobj import make_array

    size = make_array(array)(context, builder, value).nitems
    return builder.icmp_signed("==", size, size.type(0))


def _choose(builder, value, numbers, write):
    """Write instructions for each of some numbers, of which the value is one."""
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
    """Return where the rows of a block are; beyond the edge, the last once more."""
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
    from numba.core import cgutils
    from numba.extending import intrinsic

    from skgd.engine.vectors import Sums, Vectors, registers

    def write(builder, vectors, a, b, start, c, depth, rows, height, width, count):
        """Write the instructions for a block of so many rows and vectors.

        ``count`` is how many lanes of the last vector count; None stands for all.
        """
        (a, a_row, a_step), (b, b_row), (c, c_row) = a, b, c
        start, start_row, is_empty = start
        lanes = [depth.type(v * vectors.length) for v in range(width)]
        masks = [None] * width
        if count is not None:
            masks[-1] = vectors.mask(count)
        sums = Sums(builder, vectors, height * width)
        with builder.if_then(builder.not_(is_empty)):
            offsets = _row_offsets(builder, rows, start_row, height)
            places = zip(
                _places(builder, start, offsets, lanes), masks * height, strict=True
            )
            sums.set([vectors.load(*place) for place in places])
        offsets = _row_offsets(builder, rows, a_row, height)
        with cgutils.for_range(builder, depth) as loop:
            x = builder.gep(a, [builder.mul(loop.index, a_step)])
            y = builder.gep(b, [builder.mul(loop.index, b_row)])
            places = zip([builder.gep(y, [lane]) for lane in lanes], masks, strict=True)
            row = [vectors.load(*place) for place in places]
            numbers = [builder.load(builder.gep(x, [offset])) for offset in offsets]
            factors = [vectors.repeat(number) for number in numbers]
            sums.add_products([(factor, value) for factor in factors for value in row])
        offsets = _row_offsets(builder, rows, c_row, height)
        places = _places(builder, c, offsets, lanes)
        for place in zip(sums.get(), places, masks * height, strict=True):
            vectors.store(*place)

    @intrinsic
    def multiply(
        typing_context,
        a,
        a_first,
        a_row,
        a_step,
        b,
        b_first,
        b_row,
        depth,
        start,
        start_first,
        start_row,
        c,
        c_first,
        c_row,
        rows,
        columns,
    ):
        def codegen(context, builder, signature, args):
            vectors = Vectors(context, builder, c.dtype)
            is_empty = _is_empty(context, builder, start, args[8])
            (size, most), (rows, columns) = registers(), args[14:]
            matrices = (
                (_at(context, builder, a, *args[:2]), *args[2:4]),
                (_at(context, builder, b, *args[4:6]), args[6]),
                (_at(context, builder, start, *args[8:10]), args[10], is_empty),
                (_at(context, builder, c, *args[11:13]), args[13]),
            )
            # The kind of block: twice its vectors, less one if the last is masked. With AVX
            # a mask costs little, and all are masked but those of a whole panel; without, a
            # branch for each number takes its place.
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
                    shape = height, width, count
                    write(builder, vectors, *matrices, args[7], rows, *shape)

                _choose(builder, kind, kinds, write_kind)

            is_high = builder.icmp_signed(">=", rows, index(ROWS - 1))
            with builder.if_else(is_high) as (high, low):
                with high:
                    write_rows(ROWS)
                with low:
                    write_rows(FEW_ROWS)
            return builder.select(is_high, index(ROWS), index(FEW_ROWS))

        n = types.intp
        matrices = a, n, n, n, b, n, n, n, start, n, n, c, n, n
        return n(*matrices, n, n), codegen

    return multiply


def _make_dot():
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    from skgd.engine.vectors import FUSE, Sums, Vectors

    @intrinsic
    def dot(
        typing_context,
        a,
        a_first,
        a_row,
        b,
        b_first,
        b_row,
        depth,
        start,
        start_first,
        start_row,
        c,
        c_first,
        c_row,
        rows,
        columns,
    ):
        def codegen(context, builder, signature, args):
            vectors = Vectors(context, builder, c.dtype)
            depth, (rows, columns) = args[6], args[13:]
            index, length = depth.type, vectors.length
            left = _at(context, builder, a, *args[:2])
            right = _at(context, builder, b, *args[3:5])
            before = _at(context, builder, start, *args[7:9])
            out = _at(context, builder, c, *args[10:12])
            is_empty = _is_empty(context, builder, start, args[7])

            def write(width):
                lanes = [index(j) for j in range(width)]

                def places(pointer, row, lanes):
                    offsets = _row_offsets(builder, rows, row, length // width)
                    return _places(builder, pointer, offsets, lanes)

                across = places(left, args[2], [index(0)])
                down = [builder.gep(right, [builder.mul(j, args[5])]) for j in lanes]
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
                with builder.if_then(builder.not_(is_empty)):
                    found = [builder.load(p) for p in places(before, args[9], lanes)]
                    found = builder.fadd(
                        vectors.join(found), builder.load(total), flags=FUSE
                    )
                    builder.store(found, total)
                numbers = vectors.split(builder.load(total))
                for number, place in zip(
                    numbers, places(out, args[12], lanes), strict=True
                ):
                    builder.store(number, place)

            _choose(builder, columns, [n for n in (1, 2, 4) if n <= length], write)
            return context.get_dummy_value()

        n = types.intp
        matrices = a, n, n, b, n, n, n, start, n, n, c, n, n
        return types.void(*matrices, n, n), codegen

    return dot


def _make_transpose():
    from numba import types
    from numba.extending import intrinsic

    from skgd.engine.vectors import Vectors

    @intrinsic
    def transpose(typing_context, a, a_first, a_row, rows, columns, c, c_first, c_row):
        def codegen(context, builder, signature, args):
            vectors = Vectors(context, builder, c.dtype)
            source = _at(context, builder, a, *args[:2])
            target = _at(context, builder, c, *args[5:7])
            mask = vectors.mask(args[4])
            offsets = _row_offsets(builder, args[3], args[2], vectors.length)
            rows = [vectors.load(builder.gep(source, [i]), mask) for i in offsets]
            for j, column in enumerate(vectors.transpose(rows)):
                offset = builder.mul(args[7], args[7].type(j))
                vectors.store(column, builder.gep(target, [offset]))
            return context.get_dummy_value()

        n = types.intp
        return types.void(a, n, n, n, n, c, n, n), codegen

    return transpose


vector_length = Stub(_length, lambda: _make_constant(_length_by_width))
panel_width = Stub(_width, lambda: _make_constant(_panel_by_width))
multiply_block = Stub(_multiply, _make_multiply)
dot_block = Stub(_dot, _make_dot)
transpose_block = Stub(_transpose, _make_transpose)
