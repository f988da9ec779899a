"""A stopwatch within the training loop, which has none.

Before its first fit, a process puts kernels that count time in the place of some of those
that the loop calls. What runs is otherwise the loop itself. Times are read from the
processor's counter, which takes about 10 ns: on x86, others may not let a process read it.
"""

import os
from importlib import import_module
from pkgutil import iter_modules
from time import perf_counter

import numpy as np

import skgd.engine
from skgd.activations import ACTIVATIONS
from skgd.engine.jit import Stub, jit

__all__ = ["microseconds", "start", "time_activations", "time_kernel", "time_meetings"]

# What the threads count: for each kind, the ticks. A thread has cache lines of its own.
KINDS = 16
_ticks = np.zeros((64, KINDS), dtype=np.int64)


def _make_now():
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def now(typing_context):
        def codegen(context, builder, signature, args):
            name, kind = "llvm.readcyclecounter", ir.FunctionType(ir.IntType(64), [])
            return builder.call(builder.module.declare_intrinsic(name, fnty=kind), [])

        return types.int64(), codegen

    return now


def _make_count():
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    address = _ticks.ctypes.data

    @intrinsic
    def count(typing_context, place, ticks):
        def codegen(context, builder, signature, args):
            integer = ir.IntType(64)
            first = builder.inttoptr(ir.Constant(integer, address), integer.as_pointer())
            target = builder.gep(first, [args[0]])
            builder.store(builder.add(builder.load(target), args[1]), target)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return count


def _now():
    """Read the processor's counter."""


def _count(place, ticks):
    """Add ticks to those counted at a place."""


_now = Stub(_now, _make_now)
_count = Stub(_count, _make_count)


def _replace(kernel, timed):
    """Put ``timed`` wherever the engine's modules have a name for ``kernel``."""
    # A compiled loop of this kind must never be found by another process.
    os.environ["SKGD_DISK_CACHE"] = "0"
    for found in iter_modules(skgd.engine.__path__, "skgd.engine."):
        module = import_module(found.name)
        for name, value in list(vars(module).items()):
            if value is kernel:
                setattr(module, name, timed)


def time_kernel(kernel, kind):
    """Count the time of a kernel of one thread."""

    def timed(*args):
        started = _now()
        result = kernel(*args)
        _count(kind, _now() - started)
        return result

    _replace(kernel, jit(timed))


def time_meetings(meet, kind):
    """Count the time that each thread waits for the others."""

    def timed(team):
        started = _now()
        meet(team)
        _count(team.thread * KINDS + kind, _now() - started)

    _replace(meet, jit(timed))


def time_activations(kind):
    """Count the time of the activations, forward and backward."""

    def forward(kernel):
        def timed(z):
            started = _now()
            kernel(z)
            _count(kind, _now() - started)

        return jit(timed)

    def backward(kernel):
        def timed(a, delta):
            started = _now()
            kernel(a, delta)
            _count(kind, _now() - started)

        return jit(timed)

    for activation in ACTIVATIONS.values():
        # Both are computed when they are first asked for.
        vars(activation)["forward"] = forward(activation.forward)
        vars(activation)["backward"] = backward(activation.backward)


def start():
    """Forget what has been counted."""
    _ticks[:] = 0


def microseconds():
    """Return what has been counted, of shape (threads, kinds)."""
    return _ticks * _tick_length()


def _tick_length():
    """Measure how many microseconds a tick is."""

    def read():
        return _now()

    read = jit(read)
    read()
    begin, started = read(), perf_counter()
    while perf_counter() - started < 0.1:
        pass
    return (perf_counter() - started) * 1e6 / (read() - begin)
