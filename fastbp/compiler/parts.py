"""Parts of kernels: compiled with numba as far as LLVM's IR, and made machine code within the kernels that call them.

numba optimises every function by itself, with all that it calls, and makes it machine code, which nobody runs where
another compiled function is the only caller: at five levels of calls that was half of the time until the first fit.
"""

from .insides import CompilerBase, DefaultPassBuilder, JITCodeLibrary, NativeLowering, _dynfunc, register_pass


class PartLibrary(JITCodeLibrary):
    """A part's IR, linked with the parts that it calls."""

    def _optimize_functions(self, ll_module):
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self):
        pass

    def _finalize_final_module(self):
        self._finalize_dynamic_globals()  # addresses of this process in it keep the kernel out of the cache
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class PartLowering(NativeLowering):
    """Lower to LLVM's IR, and stop there."""

    _name = "part_lowering"

    def run_pass(self, state):
        """Lower; the function object has no code behind it, and is only what callers know the part by."""
        context = state.targetctx
        state.library = PartLibrary(context.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        name = state.func_id.func_name
        nothing = _dynfunc.make_function(lowered.fndesc.lookup_module(), name, "", 0, lowered.env, (state.library,))
        context.insert_user_function(nothing, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=nothing)
        return True


class PartCompiler(CompilerBase):
    """numba's own passes, with another lowering."""

    def define_pipelines(self):
        """Replace the one pass."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [(PartLowering, why) if step is NativeLowering else (step, why) for step, why in passes.passes]
        passes.finalize()
        return [passes]
