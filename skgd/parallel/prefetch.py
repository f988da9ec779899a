"""Prefetching of memory that a thread is going to write to."""

from skgd.compile.jit import Stub

__all__ = ["prefetch"]


def _prefetch(array):
    """Request the cache lines of an array for writing.

    A core can write to a cache line only when no other core has a copy. To get the lines
    that other cores have read takes longer than an update of a small network. Meanwhile,
    the core can do other work.
    """


def _make_prefetch():
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    from skgd.compile.numba_private import cgutils, make_array

    @intrinsic
    def prefetch(typing_context, array):
        def codegen(context, builder, signature, args):
            a = make_array(array)(context, builder, args[0])
            byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
            instruction = cgutils.get_or_insert_function(
                builder.module, kind, "llvm.prefetch.p0i8"
            )
            step = a.nitems.type(512 // array.dtype.bitwidth)
            steps = a.nitems.type(0), a.nitems, step
            with cgutils.for_range_slice(builder, *steps) as (k, _):
                place = builder.bitcast(builder.gep(a.data, [k]), byte)
                builder.call(instruction, [place, number(1), number(3), number(1)])
            return context.get_dummy_value()

        return types.void(array), codegen

    return prefetch


prefetch = Stub(_prefetch, _make_prefetch)
