"""The one decorator of every compiled function, and the only place with JIT flags."""

from collections.abc import Callable
from functools import cache, update_wrapper
from threading import Lock
from types import FunctionType
from typing import Any

import numpy as np

from skgd.compile.interrupts import mind_dask, uninterrupted

__all__ = [
    "Kernel",
    "Stub",
    "by_dtype",
    "functions",
    "import_numba",
    "jit",
    "jit_named",
    "scalar",
    "strict_jit",
    "whole",
]

# Of LLVM's fast-math flags, those that let loops vectorize but keep NaN and infinity
# exact: with `nnan` or `ninf` a check for a NaN would be compiled away.
_VECTORIZE = frozenset({"contract", "reassoc", "nsz", "arcp"})
# What relies on the order of its roundings (compensated sums, argument reductions).
_IN_ORDER = frozenset({"contract"})

_IMPORT = Lock()


def import_numba():
    """Import Numba and what extends it, in one thread at a time.

    Some of Numba's modules replace themselves while they are imported. A second thread
    that imports them meanwhile gets the half that is there.

    Returns
    -------
    module
    """
    with uninterrupted(), _IMPORT:
        import numba.types

        import skgd.compile.cache
        import skgd.compile.first_class  # noqa: F401
    return numba


class _Once:
    """A cached property that one thread makes, for all, with Numba's lock for compilers.

    A lock of its own would block: a thread that compiles one kernel asks for others.
    """

    def __init__(self, make):
        self._make = make

    def __get__(self, instance, owner=None):
        import_numba()
        from skgd.compile.numba_private import global_compiler_lock

        values, name = vars(instance), self._make.__name__
        with uninterrupted(), global_compiler_lock:
            if name not in values:
                values[name] = self._make(instance)
        return values[name]


def _unless_closed(compile_signature):
    """Raise on a Dask worker that closes, before a signature is compiled or loaded."""

    def checked(signature):
        mind_dask()
        return compile_signature(signature)

    return checked


class Kernel:
    """A Python function that Numba compiles when it is first called.

    Importing skgd must cost no more than importing scikit-learn, so Numba is imported
    by the first kernel that runs. A kernel may be called from Python, or from another
    kernel: Numba asks a global for its ``_numba_type_``.

    Parameters
    ----------
    function : callable
        What to compile, in the subset of Python and NumPy that Numba knows.

    fastmath : frozenset of str
        LLVM's fast-math flags.
    """

    __wrapped__: Callable
    # The plug-ins' functions that it is made of.
    parts: tuple[Callable, ...] = ()
    # Whether its loops are all that another kernel does, see `whole`.
    is_whole = False

    def __init__(self, function, fastmath):
        update_wrapper(self, function)
        self._fastmath = fastmath

    @_Once
    def dispatcher(self):
        """Return the dispatcher, or the function where ``NUMBA_DISABLE_JIT`` is set."""
        return self._make_dispatcher()

    @_Once
    def _callee(self):
        """Return the dispatcher that other kernels call.

        What Python needs to call it, such as the unpacking of its arguments, takes longer
        to compile than many a kernel itself. It is always inlined: of two copies of a
        function, LLVM would link what it met first, and they may round differently.
        """
        return self._make_dispatcher(
            no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True
        )

    @_Once
    def _pointer(self):
        """Return the dispatcher of which kernels get a pointer.

        It is inlined into the function that the pointer is of: its arguments are many, and
        would be copied twice.
        """
        return self._make_dispatcher(no_cpython_wrapper=True, forceinline=True)

    def _make_dispatcher(self, **options):
        from numba import config, njit

        from skgd.compile.cache import KernelCache
        from skgd.compile.numba_private import CalleeCompiler, KernelCompiler, set_cache

        is_callee = "no_cfunc_wrapper" in options and not self.is_whole
        dispatcher = njit(
            pipeline_class=CalleeCompiler if is_callee else KernelCompiler,
            nogil=True,
            error_model="numpy",
            fastmath=set(self._fastmath) or False,
            **options,
        )(self.__wrapped__)
        if not config.DISABLE_JIT:
            names = "-".join([*options, *["whole"] * self.is_whole])
            set_cache(dispatcher, KernelCache(self.__wrapped__, names))
            dispatcher.compile = _unless_closed(uninterrupted()(dispatcher.compile))
        return dispatcher

    @property
    def _numba_type_(self):
        return self._callee._numba_type_

    def __call__(self, *args):
        return self.dispatcher(*args)

    def bind(self, *signature):
        """Compile for one signature and return it as a first-class function.

        Such a function can be an argument of a kernel, in what ``functions`` returns,
        which is then compiled once for all functions of that signature.

        Parameters
        ----------
        *signature : numba.types.Type
            The type of the result, then those of the arguments.

        Returns
        -------
        object
            With Numba's wrapper address protocol. Only kernels can call it.
        """
        from numba import config, types

        if config.DISABLE_JIT:
            return self.dispatcher
        returned, *arguments = signature
        result = self._pointer.get_compile_result(returned(*arguments))
        return types.CompileResultWAP(result)


def jit(function):
    """Compile ``function`` on its first call, for its loops to vectorize.

    It does not own its arguments, and so must not return them, or views of them, to Python.
    """
    return Kernel(function, _VECTORIZE)


def strict_jit(function):
    """Compile ``function`` on its first call, its roundings kept in order.

    It does not own its arguments, as with :func:`jit`.
    """
    return Kernel(function, _IN_ORDER)


@cache
def whole(kernel):
    """Return a kernel to be inlined into one that does nothing else.

    Its loops are unrolled and vectorized as that one's would be.
    """
    copy = Kernel(kernel.__wrapped__, kernel._fastmath)
    copy.parts, copy.is_whole = kernel.parts, True
    return copy


@cache
def scalar(function, dtype):
    """Compile a plug-in's function of numbers for a dtype.

    A literal such as ``0.5`` takes the dtype: in Numba, as in NumPy before version 2, a
    float64 would make everything float64.
    """
    if dtype == np.float32:
        code = function.__code__
        constants = tuple(np.float32(c) if type(c) is float else c for c in code.co_consts)
        single: Any = FunctionType(
            code.replace(co_consts=constants),
            function.__globals__,
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        single.__qualname__, single._double = function.__qualname__, function
        function = single
    return jit(function)


def jit_named(name, function, *parts):
    """Compile a loop under a name that tells it from others of the same source.

    The disk cache goes by the name. The parts are the functions of numbers that the loop
    closes over, and what else decides its code.
    """
    names = (
        f"{part.__module__}.{part.__qualname__}" if callable(part) else str(part)
        for part in parts
    )
    function.__qualname__ = "-".join([name, *names])
    kernel = jit(function)
    kernel.parts = tuple(filter(callable, parts))
    return kernel


def functions(named, signatures, dtype):
    """Make a named tuple of bound kernels ready to be an argument of a kernel.

    Parameters
    ----------
    named : named tuple of callable or tuple of (callable or None)
        The kernels, by role.

    signatures : callable
        Returns, for a dtype, a dict of Numba's types of each role.

    dtype : dtype
        The network's.
    """
    from numba import config

    if config.DISABLE_JIT:
        return named
    from skgd.compile.first_class import Functions

    return Functions(named, signatures(dtype))


class Stub:
    """A Python function that compiled code replaces by something made for it.

    Parameters
    ----------
    function : callable
        What Python calls.

    make : callable
        Called once, by the first kernel that uses the function; returns what compiled
        code uses instead: anything that Numba accepts as a global.
    """

    __wrapped__: Callable

    def __init__(self, function, make):
        update_wrapper(self, function)
        self._make = make

    @_Once
    def _replacement(self):
        return self._make()

    @property
    def _numba_type_(self):
        from skgd.compile.numba_private import cpu_target

        replacement = self._replacement
        cpu_target.typing_context.refresh()
        return cpu_target.typing_context.resolve_value_type(replacement)

    def __call__(self, *args):
        return self.__wrapped__(*args)


def by_dtype(single, double):
    """Join a kernel of a float32 and one of a float64 to one function of a scalar."""

    def either(x):
        # Without the JIT a float64 may be a Python float.
        return (single if getattr(x, "dtype", None) == "float32" else double)(x)

    def make():
        from numba import float32
        from numba.extending import overload

        def choose(x):
            """Stand for the two kernels in compiled code."""

        # However long: a call in a loop would keep it from being vectorized.
        @overload(choose, jit_options={"forceinline": True})
        def _kernel(x):
            if x == float32:
                return lambda x: single(x)
            return lambda x: double(x)

        return choose

    return Stub(either, make)
