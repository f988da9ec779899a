"""How Numba compiles kernels: each once, for whole vectors, and without owning arrays.

Whoever calls a kernel keeps its arrays alive. Numba would count a reference to each array
that a kernel takes out of a named tuple, atomically, in memory that all threads share: more
than half of a small network's time.

Of a kernel that only other kernels call, Numba optimizes the instructions and translates
them for the processor, before it does so again with those of its caller. Here they are kept
for the callers as they are: the first fit compiles in three quarters of the time.
"""

from numba import _dynfunc, types  # type: ignore[attr-defined]
from numba.core import cgutils
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering
from numba.np.arrayobj import make_array

__all__ = ["CalleeCompiler", "KernelCompiler"]


def _borrowed(context, builder, kind, value):
    """Return an array, or a tuple of them, without its owner."""
    if isinstance(kind, types.Array):
        array = make_array(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        for index, member in enumerate(kind):
            part = builder.extract_value(value, index)
            part = _borrowed(context, builder, member, part)
            value = builder.insert_value(value, part, index)
    return value


class _CalleeLower(Lower):
    """Writes the instructions of a kernel that only others call."""

    def setup_function(self, fndesc):
        super().setup_function(fndesc)
        # For many processors with AVX-512, LLVM makes vectors of half its width for loops:
        # the first of them slowed down for the whole. Products use it anyway.
        # llvmlite's own `add` knows attributes by name only.
        set.add(self.function.attributes, '"prefer-vector-width"="512"')


class _KernelLower(_CalleeLower):
    """Writes those of a kernel that Python or a pointer calls: no argument has an owner."""

    def extract_function_arguments(self):
        values = super().extract_function_arguments()
        kinds = zip(self.fndesc.argtypes, values, strict=True)
        self.fnargs = [_borrowed(self.context, self.builder, *pair) for pair in kinds]
        return self.fnargs


@register_pass(mutates_CFG=True, analysis_only=False)
class _KernelLowering(NativeLowering):
    _name = "skgd_kernel_lowering"

    @property
    def lowering_class(self):
        return _KernelLower


class _Instructions(JITCodeLibrary):
    """What is linked into callers, and is not run itself.

    What is loaded from disk, where another caller is compiled, is an ordinary library of
    Numba's, and is translated once more.
    """

    def _optimize_final_module(self):
        pass

    def _finalize_final_module(self):
        self._finalize_dynamic_globals()
        self._finalized = True

    def serialize_using_object_code(self):
        return self.serialize_using_bitcode()


@register_pass(mutates_CFG=True, analysis_only=False)
class _CalleeLowering(NativeLowering):
    _name = "skgd_callee_lowering"

    @property
    def lowering_class(self):
        return _CalleeLower

    def run_pass(self, state):
        context, name = state.targetctx, state.func_id.func_qualname
        state.library = _Instructions(context.codegen(), name)
        state.flags.no_compile = True
        super().run_pass(state)
        result, library = state["cr"], state.library
        # Numba finds a kernel by the function that Python would call. This one has no
        # environment, which a kernel needs that prints, or raises what it formats.
        module = result.fndesc.lookup_module()
        function = _dynfunc.make_function(module, name, name, 0, result.env, (library,))
        context.insert_user_function(function, result.fndesc, [library])
        state["cr"] = result._replace(cfunc=function)
        return True


class KernelCompiler(CompilerBase):
    """Numba's compiler, but for the pass that writes instructions."""

    lowering: type[NativeLowering] = _KernelLowering

    def define_pipelines(self):
        """Build Numba's pipeline, with another pass in the place of one."""
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.passes = [
            (self.lowering if step is NativeLowering else step, name)
            for step, name in pipeline.passes
        ]
        pipeline.finalize()
        return [pipeline]


class CalleeCompiler(KernelCompiler):
    """The same for kernels that only others call."""

    lowering = _CalleeLowering
