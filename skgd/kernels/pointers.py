"""Pointers to named tuples of arrays.

To call a function that is not inlined copies its arguments, seven numbers an array. A
pointer is one.
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
    from numba import types
    from numba.extending import intrinsic

    from skgd.compile.numba_private import make_array, populate_array

    def load(context, builder, kind, place):
        """Load a member; what is not used of it is not loaded."""
        if isinstance(kind, types.BaseTuple):
            zero, numbers = context.get_constant(types.int32, 0), range(len(kind))
            indices = (context.get_constant(types.int32, i) for i in numbers)
            places = [builder.gep(place, [zero, i], inbounds=True) for i in indices]
            parts = [
                load(context, builder, *pair) for pair in zip(kind, places, strict=True)
            ]
            return context.make_tuple(builder, kind, parts)
        if not isinstance(kind, types.Array):
            return builder.load(place)
        source = make_array(kind)(context, builder, ref=place)
        target = make_array(kind)(context, builder)
        populate_array(
            target,
            data=source.data,
            shape=source.shape,
            strides=source.strides,
            itemsize=source.itemsize,
            meminfo=None,
        )
        return target._getvalue()

    @intrinsic
    def pointed_to(typing_context, pointer):
        """Return what a pointer points to."""

        def codegen(context, builder, signature, args):
            return load(context, builder, pointer.dtype, args[0])

        return pointer.dtype(pointer), codegen

    return pointed_to


pointer_to = Stub(_itself, _make_pointer_to)
pointed_to = Stub(_itself, _make_pointed_to)
