"""Pointers to named tuples of arrays.

A call of a function that is not inlined copies its arguments: seven numbers for each array,
but only one for a pointer.
"""

from skgd.compile.jit import Stub

__all__ = ["pointed_to", "pointer_to"]


def _itself(values):
    return values


def _make_pointer_to():
    from numba import types
    from numba.extending import intrinsic

    from skgd.compile.numba_private import cgutils

    @intrinsic
    def pointer_to(typing_context, values):
        """Return a pointer to a copy that lives as long as the kernel runs."""

        def codegen(context, builder, signature, args):
            return cgutils.alloca_once_value(builder, args[0])

        return types.CPointer(values)(values), codegen

    return pointer_to


def _make_pointed_to():
    from numba.extending import intrinsic

    from skgd.compile.numba_private import borrowed

    @intrinsic
    def pointed_to(typing_context, pointer):
        """Return what a pointer points to."""

        def codegen(context, builder, signature, args):
            return borrowed(context, builder, pointer.dtype, builder.load(args[0]))

        return pointer.dtype(pointer), codegen

    return pointed_to


pointer_to = Stub(_itself, _make_pointer_to)
pointed_to = Stub(_itself, _make_pointed_to)
