"""Many functions as a single argument of a kernel.

Numba accepts functions as arguments. But at each call of the kernel, it looks up the
signature and the address of each function in Python, which takes 15 to 30 µs per function.
``Functions`` looks them up once. A kernel gets it as a named tuple of functions.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import NativeValue, models, register_model, unbox

__all__ = ["Functions"]


class FunctionsType(types.NamedTuple):
    """Numba's type of ``Functions``."""


class Functions:
    """A named tuple of compiled functions, as an argument of kernels.

    Parameters
    ----------
    named : named tuple of CompileResultWAP or tuple of (CompileResultWAP or None)
        The compiled functions, which are kept alive. Kernels must not call a None.

    signatures : dict of str to tuple of numba.types.Type
        For each name, the type of the result, then the types of the arguments.
    """

    def __init__(self, named, signatures):
        self._named = named
        addresses, kinds = [], []
        for name, member in zip(named._fields, named, strict=True):
            returned, *arguments = signatures[name]
            kind = types.FunctionType(returned(*arguments))
            several = isinstance(member, tuple)
            kinds.append(types.UniTuple(kind, len(member)) if several else kind)
            for function in member if several else (member,):
                addresses.append(0 if function is None else function.__wrapper_address__())
        self._addresses = np.array(addresses, dtype=np.uintp)
        self.pointer = self._addresses.ctypes.data
        self._numba_type_ = FunctionsType(kinds, type(named))


register_model(FunctionsType)(models.TupleModel)


@unbox(FunctionsType)
def _unbox(typ, functions, c):
    number = c.pyapi.object_getattr_string(functions, "pointer")
    table = c.builder.bitcast(
        c.pyapi.long_as_voidptr(number), ir.IntType(8).as_pointer().as_pointer()
    )
    c.pyapi.decref(number)
    read = 0

    def function(kind):
        nonlocal read
        place = c.builder.gep(table, [ir.Constant(ir.IntType(64), read)])
        read += 1
        # Numba's other members of a function are only needed to return it to Python.
        empty = ir.Constant(c.context.get_value_type(kind), None)
        return c.builder.insert_value(empty, c.builder.load(place), 0)

    members = []
    for kind in typ:
        if isinstance(kind, types.UniTuple):
            several = [function(kind.dtype) for _ in range(kind.count)]
            members.append(c.context.make_tuple(c.builder, kind, several))
        else:
            members.append(function(kind))
    return NativeValue(c.context.make_tuple(c.builder, typ, members))
