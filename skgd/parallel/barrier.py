"""Threads that train one network together.

Each takes its share of the rows of a mini-batch forward and backward, then its share of
the parameters to update. Between the two they meet at a barrier. They are ordinary Python
threads within one compiled call that has released the GIL.
"""

import sys

from skgd.compile.jit import Stub, jit

__all__ = ["barrier", "claim", "share"]

# A core that waits asks the memory this often, for some 5 µs, before it offers itself to
# other threads: others are usually later by less. Beside a busy process it gets its core
# back after some milliseconds only.
SPINS = 20_000


def _arrive(arrivals):
    """Count this thread in; return how many have arrived so far."""
    arrivals[0] += 1
    return arrivals[0]


def _read(arrivals):
    """Read what other threads may have written."""
    return arrivals[0]


def _rest():
    """Let another thread run on this core."""


def _claim(array):
    """Ask for memory to write to, before it is needed.

    A core writes only to lines that no other has. To take them from those that have read
    them takes longer than an update of a small network, but leaves the core to its work.
    """


def _make_arrive():
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    from skgd.compile.numba_private import make_array

    @intrinsic
    def arrive(typing_context, arrivals):
        def codegen(context, builder, signature, args):
            data = make_array(arrivals)(context, builder, args[0]).data
            one = ir.Constant(ir.IntType(64), 1)
            return builder.add(builder.atomic_rmw("add", data, one, "seq_cst"), one)

        return types.int64(arrivals), codegen

    return arrive


def _make_read():
    from numba import types
    from numba.extending import intrinsic

    from skgd.compile.numba_private import make_array

    @intrinsic
    def read(typing_context, arrivals):
        def codegen(context, builder, signature, args):
            data = make_array(arrivals)(context, builder, args[0]).data
            return builder.load_atomic(data, "acquire", 8)

        return types.int64(arrivals), codegen

    return read


def _make_claim():
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    from skgd.compile.numba_private import cgutils, make_array

    @intrinsic
    def claim(typing_context, array):
        def codegen(context, builder, signature, args):
            a = make_array(array)(context, builder, args[0])
            byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
            prefetch = cgutils.get_or_insert_function(
                builder.module, kind, "llvm.prefetch.p0i8"
            )
            step = a.nitems.type(512 // array.dtype.bitwidth)
            steps = a.nitems.type(0), a.nitems, step
            with cgutils.for_range_slice(builder, *steps) as (k, _):
                place = builder.bitcast(builder.gep(a.data, [k]), byte)
                builder.call(prefetch, [place, number(1), number(3), number(1)])
            return context.get_dummy_value()

        return types.void(array), codegen

    return claim


def _make_rest():
    from numba import types

    if sys.platform == "win32":
        return types.ExternalFunction("SwitchToThread", types.int32())
    return types.ExternalFunction("sched_yield", types.int32())


claim = Stub(_claim, _make_claim)
_arrive = Stub(_arrive, _make_arrive)
_read = Stub(_read, _make_read)
_rest = Stub(_rest, _make_rest)


@jit
def barrier(arrivals, n_threads):
    """Wait for the other threads.

    Parameters
    ----------
    arrivals : ndarray of shape (1,), dtype=int64
        Counts the arrivals at the barrier; zero to begin with.

    n_threads : int
        How many threads there are.
    """
    if n_threads > 1:
        arrived = _arrive(arrivals)
        awaited = (arrived + n_threads - 1) // n_threads * n_threads
        spins = 0
        while _read(arrivals) < awaited:
            spins += 1
            if spins > SPINS:
                _rest()


@jit
def share(n, thread, n_threads):
    """Return where a thread's part of ``n`` equal things begins and ends."""
    return n * thread // n_threads, n * (thread + 1) // n_threads
