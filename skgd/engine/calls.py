"""How the loops call the kernels of a stage.

A call passes the records of the stage and the step, and a pointer to a ``Memory``; for a
gradient, also the array to write to. The called function makes the views that the kernel
takes. Passing the views themselves would take a fifth of the time of the smallest networks.
"""

from functools import cache

from skgd.compile.jit import Kernel, jit, jit_named, whole
from skgd.engine.records import Memory, StageWork
from skgd.kernels.pointers import pointed_to
from skgd.kernels.views import vector

__all__ = ["calls", "memory_of", "per_row"]


def calls(stage, dtype):
    """Return the functions that call a stage's kernels: forward, backward, gradient."""
    if stage.is_group:
        add, gradient = stage.kernels(dtype)
        return _call_forward(add, True), None, _call_gradient(gradient, True)
    forward, backward, gradient = stage.kernels(dtype)
    return _call_forward(forward), _call_backward(backward), _call_gradient(gradient)


@cache
def _call_forward(kernel, is_group=False):
    """Return ``forward(stage, step, memory)``, which calls the kernel."""
    inlined = _inlined(kernel)
    read = _columns if is_group else _inputs

    def forward(stage, step, memory):
        values, bounds = pointed_to(memory), (step.first, step.last)
        inlined(
            stage,
            step,
            *read(values, step, stage, bounds),
            _parameters(values, stage),
            per_row(values, step, stage.value, stage.outputs, bounds),
            _work(values, stage),
        )

    return _named("forward", forward, kernel)


@cache
def _call_backward(kernel):
    """Return ``backward(stage, step, memory)``, which calls the kernel."""
    inlined = _inlined(kernel)

    def backward(stage, step, memory):
        values, bounds = pointed_to(memory), (step.first, step.last)
        inlined(
            stage,
            step,
            *_inputs(values, step, stage, bounds),
            _parameters(values, stage),
            per_row(values, step, stage.value, stage.outputs, bounds),
            per_row(values, step, stage.delta, stage.outputs, bounds),
            per_row(values, step, stage.source_delta, stage.inputs, bounds),
            _work(values, stage),
        )

    return _named("backward", backward, kernel)


@cache
def _call_gradient(kernel, is_group=False):
    """Return ``gradient(stage, step, memory, out)``, which calls the kernel."""
    inlined = _inlined(kernel)
    read = _columns if is_group else _inputs

    def gradient(stage, step, memory, out):
        values, bounds = pointed_to(memory), (step.row, step.stop)
        inlined(
            stage,
            step,
            *read(values, step, stage, bounds),
            _parameters(values, stage),
            per_row(values, step, stage.delta, stage.outputs, bounds),
            out,
            _work(values, stage),
        )

    return _named("gradient", gradient, kernel)


def _inlined(kernel):
    return whole(kernel if isinstance(kernel, Kernel) else jit(kernel))


def _named(name, function, kernel):
    named = jit_named(name, function, kernel)
    named.parts = _inlined(kernel).parts or (kernel,)
    return named


@jit
def memory_of(rows, orders, network, work, kernels):
    """Return a ``Memory``: all arrays that the kernels of stages read and write."""
    return Memory(
        rows,
        vector(orders, 0, orders.size),
        network.stages,
        network.theta,
        network.running,
        network.numbers,
        work.shared,
        work.own,
        work.arrivals,
        kernels.multiply,
    )


@jit
def per_row(memory, step, place, width, bounds):
    """View the array at ``place``, which has ``width`` numbers per row, for some rows."""
    first, last = bounds
    return vector(
        memory.shared, place * step.capacity + first * width, (last - first) * width
    )


@jit
def _inputs(memory, step, stage, bounds):
    """View the inputs of a stage, for the rows within the bounds."""
    first, last = bounds
    rows, n, place = memory.rows, (last - first) * stage.inputs, stage.source
    if place < 0:
        if memory.orders.shape[0] == 0 and rows.center.shape[0] == 0:
            return (vector(rows.X, (step.start + first) * stage.inputs, n),)
        place = 1 + rows.y.shape[1]
    return (vector(memory.shared, place * step.capacity + first * stage.inputs, n),)


@jit
def _columns(memory, step, stage, bounds):
    """Return the rows of the data and their order."""
    n = memory.orders.shape[0] - step.order
    return memory.rows, vector(memory.orders, step.order, n)


@jit
def _parameters(memory, stage):
    return vector(memory.theta, stage.begin, stage.end - stage.begin)


@jit
def _work(memory, stage):
    return StageWork(
        memory.shared,
        memory.own,
        memory.arrivals,
        vector(memory.running, stage.running, stage.n_running),
        vector(memory.numbers, stage.numbers, stage.n_numbers),
        memory.multiply,
    )
