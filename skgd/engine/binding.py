"""Compiles the kernels of stages and plug-ins, as arguments of the compiled loops.

The kernels are passed as pointers, so each loop is compiled only once per dtype. The
pointers of a role are in a tuple of fixed length. The ``kind`` in the record of a stage is
the index of its pointer.
"""

from functools import cache

import numpy as np

from skgd.compile.jit import Kernel, as_argument, import_numba, jit
from skgd.engine.calls import calls
from skgd.engine.loops import loss_loops, solver_loop
from skgd.engine.records import STAGE, STEP, TILE, Kernels, Memory, Rows
from skgd.kernels.multiply import bind as bind_multiply

__all__ = ["MOST_KINDS", "bind", "bind_loss", "bind_steps", "no_rows"]

# The most kinds of stages in a network: the length of the tuples of pointers.
MOST_KINDS = 16
# For each role, the estimators' parameter that sets its plug-in; for messages.
PARAMETERS = {
    **dict.fromkeys(("forward", "backward", "gradient"), "activation"),
    **dict.fromkeys(("evaluate", "link"), "loss"),
    "update": "solver",
}
# The bound kernels, by the keys of the stages and the plug-ins.
_BOUND: dict = {}


def bind(layout, plan, loss, dtype, steps=None):
    """Compile the kernels of a network, and set the kinds of its stages in the plan.

    ``loss`` is a subclass of Loss. ``steps`` is the chain of an update, as for
    :func:`skgd.engine.loops.solver_loop`, or None for predictions.
    """
    stages = _number_kinds(layout, plan)
    key = (*stages, loss, dtype, steps)
    if key not in _BOUND:
        evaluate, link = loss_loops(loss, dtype)
        roles = ["forward", "backward", "gradient"]
        if steps is None:
            roles, others = roles[:1], {"link": link}
        else:
            others = {"evaluate": evaluate, "update": solver_loop(steps, dtype)}
        kernels = {
            **_stage_kernels(stages, roles, dtype),
            **{role: _bound(kernel, role, dtype) for role, kernel in others.items()},
        }
        named = Kernels(**kernels, multiply=_multiply(dtype))
        _BOUND[key] = as_argument(named, _signatures, dtype)
    return _BOUND[key]


@cache
def bind_loss(loss, dtype):
    """Compile the kernels of a loss, a subclass of Loss, without a network."""
    roles = zip(("evaluate", "link"), loss_loops(loss, dtype), strict=True)
    named = Kernels(**{role: _bound(kernel, role, dtype) for role, kernel in roles})
    return as_argument(named, _signatures, dtype)


@cache
def bind_steps(steps, dtype):
    """Compile a chain of steps without a network."""
    update = _bound(solver_loop(steps, dtype), "update", dtype)
    return as_argument(Kernels(update=update), _signatures, dtype)


def _number_kinds(layout, plan):
    """Set the kind in the record of each stage; return the first stage of each kind."""
    found: dict = {}
    for record, stage in zip(plan.stages, layout.stages, strict=True):
        found.setdefault(stage.key, stage)
        record.kind = list(found).index(stage.key)
    if len(found) > MOST_KINDS:
        raise ValueError(
            f"A network may have at most {MOST_KINDS} kinds of stages, of which the dense "
            f"layers are one and each activation is one, got {len(found)}."
        )
    return found


def _stage_kernels(stages, roles, dtype):
    """Compile the kernels of stages; return a tuple for each role, padded with None."""
    found: dict = {role: [None] * MOST_KINDS for role in roles}
    for kind, stage in enumerate(stages.values()):
        for role, kernel in zip(roles, calls(stage, dtype), strict=False):
            if kernel is not None:
                found[role][kind] = _bound(kernel, role, dtype)
    return {role: tuple(kernels) for role, kernels in found.items()}


@cache
def _bound(kernel, role, dtype):
    """Compile a function for a role, and return it as a first-class function."""
    kernel = kernel if isinstance(kernel, Kernel) else jit(kernel)
    if import_numba().config.DISABLE_JIT:
        return kernel.dispatcher
    try:
        return kernel.bind(*_signatures(dtype)[role])
    except Exception as error:
        own = [f for f in kernel.parts if not f.__module__.startswith("skgd.")]
        if not own:
            raise
        names = " or ".join(".".join(f.__qualname__.split(".")[-2:]) for f in own)
        lines = (line for line in str(error).splitlines() if line)
        reason = next((line for line in lines if not line.startswith("Failed in")), "")
        raise ValueError(
            f"{PARAMETERS[role]}: {names} cannot be compiled for {dtype}. Functions of "
            "numbers may call those of math and skgd.engine. "
            f"skgd.testing.check_plugin tests a plug-in. Numba says: {reason}"
        ) from error


@cache
def _multiply(dtype):
    return bind_multiply(getattr(import_numba(), dtype.name))


@cache
def _signatures(dtype):
    """Return Numba's types of the result and the arguments of each role, for a dtype."""
    numba = import_numba()
    from numba import float64, int64, types, void

    T = getattr(numba, dtype.name)
    stages, tiles, step = (numba.typeof(np.zeros(1, kind)) for kind in (STAGE, TILE, STEP))
    vector, matrix, double, order = T[::1], T[:, ::1], float64[::1], int64[::1]
    multiply = types.FunctionType(bind_multiply(T).signature())
    network, work = (stages, vector, double, double), (vector, vector, order)
    members = [numba.typeof(no_rows(dtype)), order, *network, *work, multiply]
    call = stages.dtype, step.dtype, types.CPointer(types.NamedTuple(members, Memory))
    coefficients = float64[:, ::1]
    return {
        "forward": (void, *call),
        "backward": (void, *call),
        "gradient": (void, *call, vector),
        "multiply": (multiply.signature.return_type, *multiply.signature.args),
        "evaluate": (float64, matrix, matrix, vector, T, double, matrix),
        "link": (void, matrix, double),
        "update": (void, tiles, vector, matrix, vector, coefficients, step.dtype),
    }


@cache
def no_rows(dtype):
    """Return the data of no rows, with arrays of the right types."""
    kinds = {"columns": np.int32, "row_starts": np.int64, "codes": np.uint16}
    kinds["bins"] = np.uint16
    rows = Rows(*(np.empty(0, kinds.get(name, dtype)) for name in Rows._fields))
    rows = rows._replace(y=np.empty((0, 1), dtype))
    for array in rows:
        array.flags.writeable = False
    return rows
