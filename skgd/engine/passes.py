"""A block of rows forward through the stages, and the gradient by them backward.

A thread takes the rows of a mini-batch from ``step.first`` to ``step.last``, in whole
chunks. Sums over rows are summed by chunks first, so that a result does not depend on the
number of threads. ``memory`` is a pointer to a Memory.
"""

from skgd.compile.jit import jit
from skgd.engine.calls import per_row
from skgd.kernels.pointers import pointed_to
from skgd.kernels.views import matrix, row_of, vector

__all__ = ["backward", "evaluate", "forward", "gather", "tile_gradient"]


@jit
def gather(memory, step):
    """Copy this thread's rows into the shared memory.

    Without an order of the rows, their features stay in place, unless something is
    subtracted from them.
    """
    values, capacity = pointed_to(memory), step.capacity
    rows, orders, shared = values.rows, values.orders, values.shared
    n_targets, features = rows.y.shape[1], values.stages[0].inputs
    shuffled, weighted = orders.shape[0] > 0, rows.weight.shape[0] > 0
    centered = rows.center.shape[0] > 0
    for i in range(step.first, step.last):
        row = row_of(orders, step.order + step.start + i)
        if shuffled or centered:
            source = vector(rows.X, row * features, features)
            target = vector(shared, (1 + n_targets) * capacity + i * features, features)
            for j in range(features):
                target[j] = source[j] - rows.center[j] if centered else source[j]
        for k in range(n_targets):
            shared[capacity + i * n_targets + k] = rows.y[row, k]
        shared[i] = rows.weight[row] if weighted else 1


@jit
def forward(memory, kernels, step):
    """Write the outputs of all stages; the last stay linear."""
    stages = pointed_to(memory).stages
    for index in range(stages.shape[0]):
        stage = stages[index]
        kernels.forward[stage.kind](stage, step, memory)


@jit
def evaluate(memory, kernels, numbers, step, bounds):
    """Write the gradient by the last outputs, of the rows within the bounds.

    Returns the sum of the weighted losses.
    """
    values = pointed_to(memory)
    stage = values.stages[values.stages.shape[0] - 1]
    first, last = bounds
    n, n_targets = last - first, values.rows.y.shape[1]
    targets = per_row(values, step, 1, n_targets, bounds)
    outputs = per_row(values, step, stage.value, stage.outputs, bounds)
    delta = per_row(values, step, stage.delta, stage.outputs, bounds)
    return kernels.evaluate(
        matrix(outputs, 0, n, stage.outputs),
        matrix(targets, 0, n, n_targets),
        vector(values.shared, first, n),
        values.shared.dtype.type(1.0 / step.weight),
        numbers,
        matrix(delta, 0, n, stage.outputs),
    )


@jit
def backward(memory, kernels, step):
    """Write the gradient by the inputs of all stages, from that by the last outputs."""
    stages = pointed_to(memory).stages
    for index in range(stages.shape[0] - 1, 0, -1):
        stage = stages[index]
        if stage.source_delta >= 0:
            kernels.backward[stage.kind](stage, step, memory)


@jit
def tile_gradient(memory, kernels, step, tile, out):
    """Write the gradient of a tile over the rows from ``step.row`` to ``step.stop``.

    If the backward pass has summed it, it is that over all rows.
    """
    stage = pointed_to(memory).stages[tile.stage]
    step.parameter = tile.begin - stage.begin
    kernels.gradient[stage.kind](stage, step, memory, out)
