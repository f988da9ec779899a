"""All uses of Numba's and llvmlite's private names.

These names may change with any minor version of Numba. Therefore, ``pyproject.toml`` has an
upper bound, and ``.ci/run`` prints a warning if there is a newer version to test. Each name
has a comment: since which version it exists, what it is for, and what replaces it when it
goes. ``import x as x`` marks the names that other files use.

The compilers differ from Numba's in two ways. Loops use the processor's widest vectors. And
kernels do not count references to arrays: the caller keeps them alive. Numba would count a
reference to each array that a kernel takes out of a named tuple, with atomic operations on
memory that all threads share. In small networks, this took more than half of the time.
"""

import pickle

from numba import types

# Since 0.49: functions that write common instructions. When it goes: llvmlite.ir.
from numba.core import cgutils as cgutils

# Since 0.49: the processor's features, with NUMBA_ENABLE_AVX. When it goes: llvmlite's.
from numba.core.codegen import get_host_cpu_features as get_host_cpu_features

# Since 0.49: Numba's documented way to change the pipeline, and the result that a
# dispatcher passes to its cache. When they go: Numba's compiler and its cache, with which
# several threads are slower.
from numba.core.compiler import CompilerBase, CompileResult, DefaultPassBuilder

# Since 0.49: Numba's compiler lock, since a second lock could deadlock with it.
# When it goes: the lock that replaces it in Numba.
from numba.core.compiler_lock import global_compiler_lock as global_compiler_lock

# Since 0.49, with CompilerBase.
from numba.core.compiler_machinery import register_pass

# Since 0.49: writes the instructions of a function. When it goes: Numba's compiler.
from numba.core.lowering import Lower

# Since 0.49: finds the types of overloads and intrinsics. When it goes: a global for each.
from numba.core.registry import cpu_target as cpu_target

# Since 0.50: pickles objects that contain functions. When it goes: the package cloudpickle.
from numba.core.serialize import dumps

# Since 0.49: the pass that runs Lower. When it goes: Numba's compiler.
from numba.core.typed_passes import NativeLowering

# Since 0.30: the user's cache directory. When it goes: the package platformdirs.
from numba.misc.appdirs import AppDirs as AppDirs

# Since 0.30: an array's pointer, shape and strides. When they go: cgutils's struct proxies.
from numba.np.arrayobj import make_array as make_array
from numba.np.arrayobj import populate_array as populate_array


def set_cache(dispatcher, cache):
    """Set the cache of a dispatcher; its attribute ``_cache`` exists since 0.49."""
    dispatcher._cache = cache


def to_bytes(result):
    """Serialize the result of a compilation; return None if it contains addresses."""
    return None if result.library.has_dynamic_globals else dumps(result._reduce())


def from_bytes(context, content):
    """Restore the result of a compilation."""
    return CompileResult._rebuild(context, *pickle.loads(content))


def borrowed(context, builder, kind, value):
    """Return an array, or a tuple of arrays, without the objects that own the memory."""
    if isinstance(kind, types.Array):
        array = make_array(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        for index, member in enumerate(kind):
            part = builder.extract_value(value, index)
            part = borrowed(context, builder, member, part)
            value = builder.insert_value(value, part, index)
    return value


class _CalleeLower(Lower):
    """Writes the instructions of a kernel that is inlined into other kernels."""

    def setup_function(self, fndesc):
        super().setup_function(fndesc)
        # So that loops are unrolled and vectorized only after inlining.
        self.function.attributes.add("optsize")


class _KernelLower(Lower):
    """Writes the instructions of a kernel that is called from Python or by a pointer."""

    def setup_function(self, fndesc):
        super().setup_function(fndesc)
        # For many processors with AVX-512, LLVM uses only half its width in loops, since
        # the first of these processors lower their clock for full vectors. The products
        # use full vectors anyway. llvmlite's own `add` does not accept this attribute.
        set.add(self.function.attributes, '"prefer-vector-width"="512"')

    def extract_function_arguments(self):
        values = super().extract_function_arguments()
        kinds = zip(self.fndesc.argtypes, values, strict=True)
        self.fnargs = [borrowed(self.context, self.builder, *pair) for pair in kinds]
        return self.fnargs


def _compiler(lower):
    """Return Numba's compiler with another class to write instructions."""

    @register_pass(mutates_CFG=True, analysis_only=False)
    class Lowering(NativeLowering):
        _name = f"skgd{lower.__name__}"
        lowering_class = lower

    class Compiler(CompilerBase):
        def define_pipelines(self):
            pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
            pipeline.passes = [
                (Lowering if step is NativeLowering else step, name)
                for step, name in pipeline.passes
            ]
            pipeline.finalize()
            return [pipeline]

    return Compiler


KernelCompiler, CalleeCompiler = _compiler(_KernelLower), _compiler(_CalleeLower)
