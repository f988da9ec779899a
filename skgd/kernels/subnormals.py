"""Flushes subnormal numbers to zero, since some processors handle them slowly.

In float32, numbers below 1.2e-38 are subnormal. The gradients of a network that fits its
rows well are often that small. On Intel's processors, a product of subnormal numbers takes
a hundred times as long, and an epoch of a converged network two to three times. While a
network trains, these numbers count as zero. They are smaller than any rounding of the
numbers that they are added to.
"""

from skgd.compile.jit import Stub

__all__ = ["flush_subnormals", "restore"]

# The bits of the register MXCSR with which subnormal results and operands count as zero.
_FLUSH = 0x8040


def _flush_subnormals():
    """Have this thread flush subnormal numbers to zero; return the previous mode."""
    return 0


def _restore(mode):
    """Restore the mode that ``flush_subnormals`` has returned."""


def _is_x86():
    from llvmlite.binding import get_process_triple

    return get_process_triple().startswith(("x86_64", "i386", "i686"))


def _access(builder, name, place):
    """Load the register from memory (``ldmxcsr``), or store it there (``stmxcsr``)."""
    from llvmlite import ir

    from skgd.compile.numba_private import cgutils

    kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t])
    access = builder.module.declare_intrinsic(f"llvm.x86.sse.{name}", fnty=kind)
    builder.call(access, [builder.bitcast(place, cgutils.voidptr_t)])


def _make_flush_subnormals():
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    from skgd.compile.numba_private import cgutils

    @intrinsic
    def flush(typing_context):
        def codegen(context, builder, signature, args):
            integer = ir.IntType(32)
            if not _is_x86():
                return ir.Constant(integer, 0)
            place = cgutils.alloca_once(builder, integer)
            _access(builder, "stmxcsr", place)
            before = builder.load(place)
            builder.store(builder.or_(before, ir.Constant(integer, _FLUSH)), place)
            _access(builder, "ldmxcsr", place)
            return before

        return types.int32(), codegen

    return flush


def _make_restore():
    from numba import types
    from numba.extending import intrinsic

    from skgd.compile.numba_private import cgutils

    @intrinsic
    def restore(typing_context, mode):
        def codegen(context, builder, signature, args):
            if _is_x86():
                _access(builder, "ldmxcsr", cgutils.alloca_once_value(builder, args[0]))
            return context.get_dummy_value()

        return types.void(types.int32), codegen

    return restore


flush_subnormals = Stub(_flush_subnormals, _make_flush_subnormals)
restore = Stub(_restore, _make_restore)
