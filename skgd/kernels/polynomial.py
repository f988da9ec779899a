"""Polynomials of the elementary functions."""

from skgd.compile.jit import Stub

__all__ = ["polynomial"]


def polynomial(T, *coefficients):
    """Return a polynomial, whose loop over the coefficients is unrolled.

    The coefficients are given from the highest power to the constant, and rounded to ``T``.
    """
    numbers = tuple(map(T, coefficients))

    def value(x):
        q = numbers[0]
        for c in numbers[1:]:
            q = q * x + c
        return q

    def make():
        from numba.extending import intrinsic

        from skgd.kernels.vectors import FUSE

        @intrinsic
        def horner(typing_context, x):
            def codegen(context, builder, signature, args):
                q, *rest = (context.get_constant(x, float(c)) for c in numbers)
                for c in rest:
                    q = builder.fadd(builder.fmul(q, *args, flags=FUSE), c, flags=FUSE)
                return q

            return x(x), codegen

        return horner

    return Stub(value, make)
