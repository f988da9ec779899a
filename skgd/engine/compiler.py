"""How Numba compiles kernels: with vectors as wide as the processor's, and each once.

Of a kernel that only other kernels call, Numba optimizes the instructions and translates
them for the processor, before it does so again with those of its caller. Here they are kept
for the callers as they are: the first fit compiles in three quarters of the time.
"""

from numba import _dynfunc  # type: ignore[attr-defined]
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering

__all__ = ["CalleeCompiler", "KernelCompiler"]


class _WideLower(Lower):
    """Writes functions for the widest vectors.

    For many processors with AVX-512, LLVM makes vectors of half its width for loops: the
    first of them slowed down for the whole. Products use it anyway.
    """

    def setup_function(self, fndesc):
        super().setup_function(fndesc)
        # llvmlite's own `add` knows attributes by name only.
        set.add(self.function.attributes, '"prefer-vector-width"="512"')


@register_pass(mutates_CFG=True, analysis_only=False)
class _KernelLowering(NativeLowering):
    _name = "skgd_kernel_lowering"

    @property
    def lowering_class(self):
        return _WideLower


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
class _CalleeLowering(_KernelLowering):
    _name = "skgd_callee_lowering"

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

    lowering = _KernelLowering

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
