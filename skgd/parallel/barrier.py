"""The barrier at which threads that train one network wait for each other.

They are ordinary Python threads, each in a compiled call that has released the GIL.
"""

import sys

from skgd.compile.jit import Stub, jit

__all__ = ["barrier"]

# How often a waiting thread reads the number of arrivals, for some 5 µs, before it yields
# its core. The others usually arrive sooner. After a yield, a thread may wait several
# milliseconds for its core if another process is busy.
SPINS = 20_000


def _arrive(arrivals):
    """Count this thread's arrival; return the number of arrivals so far."""
    arrivals[0] += 1
    return arrivals[0]


def _read(arrivals):
    """Return the number of arrivals, which other threads may have changed."""
    return arrivals[0]


def _yield():
    """Let another thread run on this core."""


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


def _make_yield():
    from numba import types

    if sys.platform == "win32":
        return types.ExternalFunction("SwitchToThread", types.int32())
    return types.ExternalFunction("sched_yield", types.int32())


_arrive = Stub(_arrive, _make_arrive)
_read = Stub(_read, _make_read)
_yield = Stub(_yield, _make_yield)


@jit
def barrier(arrivals, n_threads):
    """Wait until all threads have called this function.

    Parameters
    ----------
    arrivals : ndarray of shape (1,), dtype=int64
        The number of calls so far, by all threads; initially zero.

    n_threads : int
        The number of threads.
    """
    if n_threads > 1:
        arrived = _arrive(arrivals)
        awaited = (arrived + n_threads - 1) // n_threads * n_threads
        spins = 0
        while _read(arrivals) < awaited:
            spins += 1
            if spins > SPINS:
                _yield()
