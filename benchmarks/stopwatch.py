"""A stopwatch within the training loop, which has none.

Before its first fit, a process puts kernels that count time in the place of some of those
that the loop calls. What runs is otherwise the loop itself. Times are read from the
processor's counter, which takes about 10 ns: on x86, others may not let a process read it.
"""

import os
from functools import cache
from importlib import import_module
from inspect import signature
from pkgutil import iter_modules
from time import perf_counter

import numpy as np

import skgd.engine
import skgd.stages
from skgd.compile.jit import Stub, jit
from skgd.engine import binding

__all__ = ["microseconds", "start", "time_kernel", "time_role"]

# For each kind, the ticks that all threads have counted.
_ticks = np.zeros(16, dtype=np.int64)


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
            builder.atomic_rmw("add", target, args[1], "monotonic")
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return count


def _now():
    """Read the processor's counter."""


def _count(place, ticks):
    """Add ticks to those counted at a place."""


_now = Stub(_now, _make_now)
_count = Stub(_count, _make_count)


def _disable_disk_cache():
    """Keep the compiled loop from being found by another process."""
    os.environ["SKGD_DISK_CACHE"] = "0"


def _replace(kernel, timed):
    """Put ``timed`` wherever modules of the engine or stages have a name for ``kernel``."""
    _disable_disk_cache()
    for package in (skgd.engine, skgd.stages):
        for found in iter_modules(package.__path__, f"{package.__name__}."):
            module = import_module(found.name)
            for name, value in list(vars(module).items()):
                if value is kernel:
                    setattr(module, name, timed)


def time_kernel(kernel, kind):
    """Count the time of a kernel that others call by its name, in all threads."""

    def timed(*args):
        started = _now()
        result = kernel(*args)
        _count(kind, _now() - started)
        return result

    _replace(kernel, jit(timed))


def time_role(role, kind):
    """Count the time of the kernels that the loop calls through pointers in a role."""
    _disable_disk_cache()

    @cache
    def bound(kernel, name, dtype, bind=binding._bound):
        return bind(_timed(kernel, kind) if name == role else kernel, name, dtype)

    binding._bound = bound


def _timed(kernel, kind):
    """Count the time of a kernel, with its own number of arguments.

    What a pointer is of cannot have ``*args``.
    """
    names = ", ".join(signature(kernel).parameters)
    source = (
        f"def timed({names}):\n"
        "    started = _now()\n"
        f"    kernel({names})\n"
        "    _count(kind, _now() - started)\n"
    )
    scope = globals() | {"kernel": kernel, "kind": kind}
    exec(source, scope)
    return jit(scope["timed"])


def start():
    """Forget what has been counted."""
    _ticks[:] = 0


def microseconds():
    """Return what has been counted, by kind."""
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
