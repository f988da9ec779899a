"""LLVM's instructions for vectors of the processor's width, and the sizes of blocks.

This module imports Numba. :mod:`skgd.kernels.blocks` imports it when it compiles.
"""

import platform
import sys

from llvmlite import ir
from numba import config

from skgd.compile.numba_private import cgutils, get_host_cpu_features

__all__ = ["FUSE", "Sums", "Vectors", "registers"]

# Lets LLVM fuse a multiplication and an addition, if the processor can.
FUSE = ("contract",)


def registers():
    """Return the bytes of a vector, and the number of vectors in a row of a block.

    A block has 6 rows. With 4 vectors per row, it takes 24 of 32 registers, and needs one
    load for every 2.4 multiplications. With 2 vectors per row, it takes 12 of 16 registers.
    """
    features = config.CPU_FEATURES
    if features is None:
        features = get_host_cpu_features()
    if "+avx512f" in features:
        return 64, 4
    if "+avx" in features:
        return 32, 2
    return 16, 4 if platform.machine().lower() in ("arm64", "aarch64") else 2


class Vectors:
    """Writes instructions for vectors of numbers.

    Parameters
    ----------
    context, builder
        Numba's context, and llvmlite's builder.

    dtype : numba.types.Float
        The type of the numbers.

    Attributes
    ----------
    length : int
        How many numbers a vector has.

    type : llvmlite.ir.Type
        The type of a vector.
    """

    def __init__(self, context, builder, dtype):
        self._builder = builder
        self._bytes = dtype.bitwidth // 8
        self._name = f"f{dtype.bitwidth}"
        self.length = registers()[0] // self._bytes
        self.type = ir.VectorType(context.get_value_type(dtype), self.length)

    def zeros(self):
        """Make a vector of zeros."""
        return ir.Constant(self.type, [0.0] * self.length)

    def repeat(self, scalar):
        """Make a vector whose elements are all the same number."""
        empty = ir.Constant(ir.VectorType(scalar.type, self.length), ir.Undefined)
        one = self._builder.insert_element(empty, scalar, ir.IntType(32)(0))
        return self._shuffle(one, one, [0] * self.length)

    def join(self, scalars):
        """Make a vector from its numbers."""
        vector = ir.Constant(self.type, ir.Undefined)
        for lane, scalar in enumerate(scalars):
            vector = self._builder.insert_element(vector, scalar, ir.IntType(32)(lane))
        return vector

    def split(self, vector):
        """Return the numbers of a vector."""
        lanes = range(self.length)
        return [self._builder.extract_element(vector, ir.IntType(32)(i)) for i in lanes]

    def mask(self, count):
        """Return a mask that selects the first ``count`` lanes."""
        # Made from the bits of an integer. With comparisons of vectors, LLVM would compute
        # all masks beforehand, and keep them in memory.
        builder, most = self._builder, count.type(self.length)
        count = builder.select(builder.icmp_signed("<", count, most), count, most)
        bits = builder.sub(builder.shl(count.type(1), count), count.type(1))
        if sys.byteorder == "big":
            # The first lane is the highest bit then.
            bits = builder.shl(bits, builder.sub(most, count))
        bits = builder.trunc(bits, ir.IntType(self.length))
        return builder.bitcast(bits, ir.VectorType(ir.IntType(1), self.length))

    def load(self, pointer, mask=None):
        """Read a vector; lanes that the mask does not select are zero."""
        place = self._builder.bitcast(pointer, self.type.as_pointer())
        if mask is None:
            return self._builder.load(place, align=self._bytes)
        arguments = [place, ir.IntType(32)(self._bytes), mask, self.zeros()]
        return self._call("load", self.type, arguments)

    def store(self, vector, pointer, mask=None):
        """Write a vector, or only the lanes that the mask selects."""
        place = self._builder.bitcast(pointer, self.type.as_pointer())
        if mask is None:
            self._builder.store(vector, place, align=self._bytes)
        else:
            arguments = [vector, place, ir.IntType(32)(self._bytes), mask]
            self._call("store", ir.VoidType(), arguments)

    def _call(self, name, returned, arguments):
        vector = f"v{self.length}{self._name}"
        function = cgutils.get_or_insert_function(
            self._builder.module,
            ir.FunctionType(returned, [argument.type for argument in arguments]),
            f"llvm.masked.{name}.{vector}.p0{vector}",
        )
        return self._builder.call(function, arguments)

    def _shuffle(self, x, y, lanes):
        kind = ir.VectorType(ir.IntType(32), len(lanes))
        return self._builder.shuffle_vector(x, y, ir.Constant(kind, lanes))

    def _interleave(self, x, y):
        """Interleave the first halves of two vectors, and the second halves."""
        half = self.length // 2
        low = [lane for i in range(half) for lane in (i, self.length + i)]
        return self._shuffle(x, y, low), self._shuffle(x, y, [i + half for i in low])

    def transpose(self, rows):
        """Transpose a square: as many vectors as a vector has numbers."""
        half = self.length // 2
        for _ in range(half.bit_length()):
            pairs = zip(rows[:half], rows[half:], strict=True)
            rows = [row for pair in pairs for row in self._interleave(*pair)]
        return rows

    def sums(self, rows):
        """Return a vector of the sums of each row of a square."""
        while len(rows) > 1:
            half = len(rows) // 2
            pairs = zip(rows[:half], rows[half:], strict=True)
            rows = [
                self._builder.fadd(*self._interleave(*pair), flags=FUSE) for pair in pairs
            ]
        return rows[0]


class Sums:
    """Vectors to which a loop adds. LLVM keeps them in registers."""

    def __init__(self, builder, vectors, count):
        self._builder = builder
        self._places = [cgutils.alloca_once(builder, vectors.type) for _ in range(count)]
        self.set([vectors.zeros()] * count)

    def set(self, values):
        """Set the vectors."""
        for value, place in zip(values, self._places, strict=True):
            self._builder.store(value, place)

    def add_products(self, pairs):
        """Add to each vector the product of a pair."""
        for (x, y), place in zip(pairs, self._places, strict=True):
            product = self._builder.fmul(x, y, flags=FUSE)
            total = self._builder.fadd(self._builder.load(place), product, flags=FUSE)
            self._builder.store(total, place)

    def get(self):
        """Return the vectors."""
        return [self._builder.load(place) for place in self._places]
