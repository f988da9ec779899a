"""Functions as arguments of a kernel, at the price of one.

Numba takes functions as arguments, but looks up the signature and the address of each in
Python, whenever a kernel is called: 15 to 30 µs a function. What is made here knows them
beforehand. To kernels it is the named tuple of functions that it was made from.
"""

import numpy as np
from llvmlite import ir
from numba.core.datamodel.models import TupleModel
from numba.core.types import FunctionType, NamedTuple
from numba.extending import NativeValue, register_model, unbox

__all__ = ["Functions"]


class FunctionsType(NamedTuple):
    """Numba's type of ``Functions``."""


class Functions:
    """Functions under names, as kernels take them.

    Parameters
    ----------
    named : named tuple of CompileResultWAP
        The compiled functions, which are kept alive.
    """

    def __init__(self, named):
        self._named = named
        self._addresses = np.array(
            [function.__wrapper_address__() for function in named], dtype=np.uintp
        )
        self.pointer = self._addresses.ctypes.data
        self._numba_type_ = FunctionsType(
            [FunctionType(function.signature()) for function in named], type(named)
        )


register_model(FunctionsType)(TupleModel)


@unbox(FunctionsType)
def _unbox(typ, functions, c):
    number = c.pyapi.object_getattr_string(functions, "pointer")
    table = c.builder.bitcast(
        c.pyapi.long_as_voidptr(number), ir.IntType(8).as_pointer().as_pointer()
    )
    c.pyapi.decref(number)
    # The other members of a function are for those that kernels hand back to Python.
    members = []
    for index, member in enumerate(typ):
        place = c.builder.gep(table, [ir.Constant(ir.IntType(64), index)])
        empty = ir.Constant(c.context.get_value_type(member), None)
        members.append(c.builder.insert_value(empty, c.builder.load(place), 0))
    return NativeValue(c.context.make_tuple(c.builder, typ, members))
