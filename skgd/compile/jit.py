"""The decorators of all compiled functions, and the only place with JIT flags."""

from collections.abc import Callable
from functools import cache, update_wrapper
from threading import Lock
from types import FunctionType
from typing import Any

import numpy as np

from skgd.compile.dask_worker import raise_if_closing
from skgd.compile.interrupts import uninterrupted

__all__ = [
    "Kernel",
    "Stub",
    "as_argument",
    "by_dtype",
    "import_numba",
    "jit",
    "jit_named",
    "scalar",
    "strict_jit",
    "whole",
]

# The fast-math flags of LLVM that let loops vectorize. With `nnan` or `ninf`, LLVM would
# remove checks for NaN and infinity.
_VECTORIZE = frozenset({"contract", "reassoc", "nsz", "arcp"})
# For code that relies on the order of its roundings: compensated sums, argument reductions.
_IN_ORDER = frozenset({"contract"})

_IMPORT = Lock()


def import_numba():
    """Import Numba and the modules that extend it, in one thread at a time.

    Some of Numba's modules replace themselves while they are imported. A second thread that
    imports them meanwhile would get an incomplete module.

    Returns
    -------
    module
        Numba.
    """
    with uninterrupted(), _IMPORT:
        import numba.types

        import skgd.compile.cache
        import skgd.compile.first_class  # noqa: F401
    return numba


class _Once:
    """A cached property that is computed once, in one thread.

    It uses Numba's compiler lock. A separate lock could deadlock, since a thread that
    compiles a kernel requests other kernels.
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
    """Return the function with a check before it, which raises on a closing Dask worker."""

    def checked(signature):
        raise_if_closing()
        return compile_signature(signature)

    return checked


class Kernel:
    """A Python function that Numba compiles when it is first called.

    The first kernel that runs imports Numba, so that importing skgd takes hardly longer
    than importing scikit-learn. A kernel can be called from Python and from other kernels:
    Numba reads the ``_numba_type_`` of a global.

    Parameters
    ----------
    function : callable
        The function, in the subset of Python and NumPy that Numba supports.

    fastmath : frozenset of str
        LLVM's fast-math flags.
    """

    __wrapped__: Callable
    # The functions of plug-ins that the kernel calls.
    parts: tuple[Callable, ...] = ()
    # Whether its only caller does nothing else, see `whole`.
    is_whole = False

    def __init__(self, function, fastmath):
        update_wrapper(self, function)
        self._fastmath = fastmath

    @_Once
    def dispatcher(self):
        """Return the dispatcher, or the function if ``NUMBA_DISABLE_JIT`` is set."""
        return self._make_dispatcher()

    @_Once
    def _callee(self):
        """Return the dispatcher for calls from other kernels.

        It has no wrapper for calls from Python, which takes longer to compile than many
        kernels. It is always inlined. Otherwise, LLVM would keep only one of several
        compiled copies of a function, and these may round differently.
        """
        return self._make_dispatcher(
            no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True
        )

    @_Once
    def _pointer(self):
        """Return the dispatcher for calls through a pointer.

        The kernel is inlined into the function that the pointer points to. Otherwise, its
        many arguments would be copied twice.
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
        """Compile the kernel for one signature, and return a first-class function.

        A kernel can take such functions as an argument, which ``as_argument`` makes. It is
        compiled only once for all functions of the same signature.

        Parameters
        ----------
        *signature : numba.types.Type
            The type of the result, then the types of the arguments.

        Returns
        -------
        object
            An object with Numba's wrapper address protocol. Only kernels can call it.
        """
        from numba import config, types

        if config.DISABLE_JIT:
            return self.dispatcher
        returned, *arguments = signature
        result = self._pointer.get_compile_result(returned(*arguments))
        return types.CompileResultWAP(result)


def jit(function):
    """Compile ``function`` on its first call, so that its loops vectorize.

    The kernel does not count references to its arguments. It must not return an argument,
    or a view of one, to Python.
    """
    return Kernel(function, _VECTORIZE)


def strict_jit(function):
    """Compile ``function`` on its first call, with its roundings in order.

    The kernel does not count references to its arguments, as with :func:`jit`.
    """
    return Kernel(function, _IN_ORDER)


@cache
def whole(kernel):
    """Return a copy of a kernel whose only caller does nothing but call it.

    Like other callees, it is inlined. But its loops are optimized for speed before that.
    """
    copy = Kernel(kernel.__wrapped__, kernel._fastmath)
    copy.parts, copy.is_whole = kernel.parts, True
    return copy


@cache
def scalar(function, dtype):
    """Compile a plug-in's function of numbers for a dtype.

    For float32, literals such as ``0.5`` are converted to float32. In Numba, as in NumPy
    before version 2, a float64 literal would make all results float64.
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
    """Compile a loop under a name that distinguishes it from others of the same source.

    The files of the disk cache are named after the kernels. ``parts`` are the functions of
    numbers that the loop calls, and everything else that its code depends on.
    """
    names = (
        f"{part.__module__}.{part.__qualname__}" if callable(part) else str(part)
        for part in parts
    )
    function.__qualname__ = "-".join([name, *names])
    kernel = jit(function)
    kernel.parts = tuple(filter(callable, parts))
    return kernel


def as_argument(named, signatures, dtype):
    """Convert a named tuple of bound kernels to an argument of a kernel.

    Parameters
    ----------
    named : named tuple of callable or tuple of (callable or None)
        The kernels, by role.

    signatures : callable
        Returns, for a dtype, a dict of the signatures by role.

    dtype : dtype
        The dtype of the network.
    """
    from numba import config

    if config.DISABLE_JIT:
        return named
    from skgd.compile.first_class import Functions

    return Functions(named, signatures(dtype))


class Stub:
    """A Python function with a separate implementation for compiled code.

    Parameters
    ----------
    function : callable
        The function that Python calls.

    make : callable
        Returns the implementation for compiled code: anything that Numba accepts as a
        global. It is called once, by the first kernel that uses the function.
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
    """Combine a kernel for float32 and one for float64 into a function of a scalar."""

    def either(x):
        # Without the JIT, a float64 may be a Python float.
        return (single if getattr(x, "dtype", None) == "float32" else double)(x)

    def make():
        from numba import float32
        from numba.extending import overload

        def choose(x):
            """Stand for the two kernels in compiled code."""

        # Always inlined: a loop with a call does not vectorize.
        @overload(choose, jit_options={"forceinline": True})
        def _kernel(x):
            if x == float32:
                return lambda x: single(x)
            return lambda x: double(x)

        return choose

    return Stub(either, make)
