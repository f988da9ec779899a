"""Compilation for vectors as wide as the processor's.

For many processors with AVX-512, LLVM vectorises loops with half of its width: the first of
them slowed down for the whole. The products use it anyway (:mod:`skgd.engine.vectors`), and so do
the loops here.
"""

from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering

__all__ = ["WideCompiler"]


class _WideLower(Lower):
    def setup_function(self, fndesc):
        super().setup_function(fndesc)
        # llvmlite's own `add` knows attributes by name only.
        set.add(self.function.attributes, '"prefer-vector-width"="512"')


@register_pass(mutates_CFG=True, analysis_only=False)
class _WideLowering(NativeLowering):
    _name = "skgd_wide_lowering"

    @property
    def lowering_class(self):
        return _WideLower


class WideCompiler(CompilerBase):
    """Numba's compiler but for an attribute of its functions."""

    def define_pipelines(self):
        """Build Numba's pipeline, and exchange the pass that writes LLVM's instructions."""
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.passes = [
            (_WideLowering if step is NativeLowering else step, name)
            for step, name in pipeline.passes
        ]
        pipeline.finalize()
        return [pipeline]
